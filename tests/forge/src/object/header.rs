//! Object headers and the optional headers in front of them.

use crate::expected::ExpectedObject;
use crate::guest::Guest;

bitflags::bitflags! {
    /// Which optional headers an object has (`_OBJECT_HEADER.InfoMask`). The lower the bit, the
    /// nearer to the object header the optional header lies.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct InfoMask: u8 {
        /// `_OBJECT_HEADER_CREATOR_INFO`
        const CREATOR = 0x01;
        /// `_OBJECT_HEADER_NAME_INFO`
        const NAME = 0x02;
        /// `_OBJECT_HEADER_HANDLE_INFO`
        const HANDLE = 0x04;
        /// `_OBJECT_HEADER_QUOTA_INFO`
        const QUOTA = 0x08;
        /// `_OBJECT_HEADER_PROCESS_INFO`
        const PROCESS = 0x10;
        /// `_OBJECT_HEADER_AUDIT_INFO`, from Windows 8
        const AUDIT = 0x20;
        /// `_OBJECT_HEADER_EXTENDED_INFO`, from Windows 10
        const EXTENDED = 0x40;
        /// `_OBJECT_HEADER_PADDING_INFO`, from Windows 10
        const PADDING = 0x80;
    }
}

/// Structures of the optional headers, the one of the lowest bit first.
const INFO_STRUCTURES: [&str; 8] = [
    "_OBJECT_HEADER_CREATOR_INFO",
    "_OBJECT_HEADER_NAME_INFO",
    "_OBJECT_HEADER_HANDLE_INFO",
    "_OBJECT_HEADER_QUOTA_INFO",
    "_OBJECT_HEADER_PROCESS_INFO",
    "_OBJECT_HEADER_AUDIT_INFO",
    "_OBJECT_HEADER_EXTENDED_INFO",
    "_OBJECT_HEADER_PADDING_INFO",
];

/// An object to be made.
#[derive(Clone, Copy, Debug, Default)]
pub struct NewObject<'a> {
    /// Name of the object's type.
    pub type_name: &'a str,
    /// Name of the object.
    pub name: Option<&'a str>,
    /// Directory object that the name lies in; 0 for a name outside the namespace.
    pub directory: u64,
    /// Path recorded as expected.
    pub path: Option<&'a str>,
    /// Size of the body in bytes.
    pub size: u64,
    /// Optional headers besides the one for the name.
    pub info: InfoMask,
}

impl Guest {
    /// Makes an object with a zeroed body: the address of the body.
    ///
    /// # Panics
    /// When there is no such object type.
    pub fn create_object(&mut self, new: &NewObject) -> u64 {
        let info = match new.name {
            Some(_) => new.info | InfoMask::NAME,
            None => new.info,
        };
        let front = self.info_size(info) + self.profile.size_of("_POOL_HEADER");
        let header_size = self.profile.offset("_OBJECT_HEADER", "Body");
        let block = self.allocate(front + header_size + new.size);
        let header = block + front;
        self.write_pool_header(block, front + header_size + new.size, new.type_name);
        self.write_header(header, new.type_name, info);
        if let Some(name) = new.name {
            self.write_name(header, info, name, new.directory);
        }
        let body = header + header_size;
        self.expect_object(new, body, info);
        self.count_object(new.type_name);
        body
    }

    /// Address of the header of the object whose body is at `body`.
    pub fn object_header(&self, body: u64) -> u64 {
        body - self.profile.offset("_OBJECT_HEADER", "Body")
    }

    /// Address of an optional header of an object; nothing when the object lacks it.
    pub fn object_info(&self, body: u64, kind: InfoMask) -> Option<u64> {
        let header = self.object_header(body);
        let mask = self.peek_field(header, "_OBJECT_HEADER", "InfoMask") as u8;
        let mask = InfoMask::from_bits_retain(mask);
        let nearer = InfoMask::from_bits_retain((kind.bits() << 1).wrapping_sub(1));
        mask.contains(kind)
            .then(|| header - self.info_size(mask & nearer))
    }

    /// Bytes that optional headers take: a value of `ObpInfoMaskToOffset`.
    pub(crate) fn info_size(&self, info: InfoMask) -> u64 {
        (0..8)
            .filter(|bit| info.bits() & 1 << bit != 0)
            .map(|bit| INFO_STRUCTURES[bit])
            .map(|name| {
                if self.profile.has_type(name) {
                    self.profile.size_of(name)
                } else {
                    0
                }
            })
            .sum()
    }

    fn write_pool_header(&mut self, block: u64, size: u64, type_name: &str) {
        let mut tag = type_name.as_bytes().to_vec();
        tag.resize(4, b' ');
        let mut header = self.record("_POOL_HEADER");
        header
            .set("BlockSize", size.div_ceil(16) & 0xff)
            .set("PoolType", 2)
            .put("PoolTag", &tag);
        self.write_record(block, &header);
    }

    fn write_header(&mut self, va: u64, type_name: &str, info: InfoMask) {
        let index = self.types.index(type_name);
        let type_index = self.encode_type_index(va, index);
        let mut header = self.record("_OBJECT_HEADER");
        header
            .set("PointerCount", 1)
            .set("TypeIndex", type_index.into())
            .set("InfoMask", info.bits().into())
            .set("Flags", 2);
        let size = self.profile.offset("_OBJECT_HEADER", "Body") as usize;
        self.write(va, &header.bytes()[..size]);
    }

    /// From Windows 10, the type index is mixed with a byte of the header's address and a cookie.
    fn encode_type_index(&self, header: u64, index: u8) -> u8 {
        match self.find_symbol("ObHeaderCookie") {
            None => index,
            Some(cookie) => index ^ (header >> 8) as u8 ^ self.read_u64(cookie) as u8,
        }
    }

    fn write_name(&mut self, header: u64, info: InfoMask, name: &str, directory: u64) {
        let (buffer, length) = self.allocate_string(name);
        let nearer = info & (InfoMask::CREATOR | InfoMask::NAME);
        let va = header - self.info_size(nearer);
        let mut record = self.record("_OBJECT_HEADER_NAME_INFO");
        record
            .set("Directory", directory)
            .set_string("Name", length, buffer)
            .set("ReferenceCount", 1);
        self.write_record(va, &record);
    }

    fn expect_object(&mut self, new: &NewObject, address: u64, info: InfoMask) {
        let header = self.object_header(address);
        let index = self.types.index(new.type_name);
        let encoded_type_index = self.encode_type_index(header, index);
        self.object_index
            .insert(address, self.expected.objects.len());
        self.expected.objects.push(ExpectedObject {
            address,
            type_name: new.type_name.to_owned(),
            name: new.name.map(str::to_owned),
            path: new.path.map(str::to_owned),
            own_path: None,
            encoded_type_index,
            handle_count: 0,
            pointer_count: 1,
            info_mask: info.bits(),
        });
    }

    /// Counts one more handle, and with it one more pointer, to an object.
    pub(crate) fn count_handle(&mut self, body: u64) {
        let header = self.object_header(body);
        let Some(index) = self.object_index.get(&body) else {
            return;
        };
        let object = &mut self.expected.objects[*index];
        object.handle_count += 1;
        object.pointer_count += 1;
        let (handles, pointers) = (object.handle_count, object.pointer_count);
        let type_name = object.type_name.clone();
        self.write_u64(header, pointers);
        self.write_u64(header + 8, handles);
        self.count_type_handle(&type_name);
    }
}

/// Writes the table from which the kernel reads where optional headers lie. It grew with the
/// number of kinds.
pub(crate) fn write_info_offsets(guest: &mut Guest) {
    let kinds = INFO_STRUCTURES
        .iter()
        .filter(|name| guest.profile.has_type(name))
        .count();
    let offsets: Vec<u8> = (0..1u16 << kinds)
        .map(|mask| guest.info_size(InfoMask::from_bits_retain(mask as u8)) as u8)
        .collect();
    guest.write(guest.symbol("ObpInfoMaskToOffset"), &offsets);
}
