//! Little-endian integers out of byte slices that may be too short.

macro_rules! reader {
    ($name:ident, $integer:ty) => {
        #[doc = concat!("The `", stringify!($integer), "` at `offset`, `None` when the slice ends before it does.")]
        #[inline]
        pub fn $name(bytes: &[u8], offset: usize) -> Option<$integer> {
            bytes
                .get(offset..)?
                .first_chunk()
                .map(|chunk| <$integer>::from_le_bytes(*chunk))
        }
    };
}

reader!(u16_at, u16);
reader!(u32_at, u32);
reader!(u64_at, u64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_up_to_the_last_byte_and_no_further() {
        let bytes = [1, 2, 3, 4, 5, 6, 7, 8, 9];
        assert_eq!(u16_at(&bytes, 7), Some(0x0908));
        assert_eq!(u16_at(&bytes, 8), None);
        assert_eq!(u32_at(&bytes, 5), Some(0x0908_0706));
        assert_eq!(u64_at(&bytes, 1), Some(0x0908_0706_0504_0302));
        assert_eq!(u64_at(&bytes, 2), None);
        assert_eq!(u32_at(&bytes, usize::MAX), None);
    }
}
