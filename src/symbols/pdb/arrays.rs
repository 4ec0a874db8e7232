//! Arrays of structures, as `isr-pdb` leaves them.
//!
//! An array record holds its length in bytes; the number of elements follows
//! from the element's size. Where the record names the structure by a forward
//! reference, which has no size, `isr-pdb` stores the bytes as the count.

use std::collections::HashMap;

use isr::schema::{Array, Profile, Struct, Type};

/// Divides the counts that are bytes by the size of their element.
///
/// They are told by their reach: taken as a count, they run over the next
/// member of their structure.
pub(super) fn mend(profile: &mut Profile) {
    let sizes: HashMap<String, u64> = profile
        .structs
        .iter()
        .map(|(name, definition)| (name.clone(), definition.size))
        .collect();
    for definition in profile.structs.values_mut() {
        mend_members(definition, &sizes);
    }
}

fn mend_members(definition: &mut Struct, sizes: &HashMap<String, u64>) {
    let mut bounds: Vec<u64> = definition
        .fields
        .values()
        .map(|field| field.offset)
        .collect();
    bounds.push(definition.size);
    bounds.sort_unstable();
    for field in definition.fields.values_mut() {
        let Type::Array(array) = &mut field.ty else {
            continue;
        };
        let Type::Struct(element) = &*array.subtype else {
            continue;
        };
        let next = bounds.partition_point(|&bound| bound <= field.offset);
        let room = bounds
            .get(next)
            .map_or(0, |end| end.saturating_sub(field.offset));
        if let Some(&size) = sizes.get(&element.name) {
            mend_array(array, size, room);
        }
    }
}

/// `room` bytes are left up to the next member.
fn mend_array(array: &mut Array, element: u64, room: u64) {
    let count = array
        .dims
        .iter()
        .fold(element, |bytes, &dim| bytes.saturating_mul(dim));
    let Some(innermost) = array.dims.last_mut() else {
        return;
    };
    if element > 1 && count > room && innermost.is_multiple_of(element) {
        *innermost = innermost.checked_div(element).unwrap_or(*innermost);
    }
}

#[cfg(test)]
mod tests {
    use isr::schema::{Field, StructKind, StructRef};

    use super::*;

    fn structure(size: u64, fields: Vec<(&str, u64, Type)>) -> Struct {
        let field = |(name, offset, ty): (&str, u64, Type)| (name.to_owned(), Field { offset, ty });
        Struct {
            kind: StructKind::Struct,
            size,
            fields: fields.into_iter().map(field).collect(),
        }
    }

    fn items(dims: &[u64]) -> Type {
        let element = StructRef {
            name: "_ITEM".into(),
        };
        Type::Array(Array {
            subtype: Box::new(Type::Struct(element)),
            dims: dims.to_vec(),
        })
    }

    fn dims(profile: &Profile, name: &str) -> Vec<u64> {
        let Type::Array(array) = &profile.structs["_OUTER"].fields[name].ty else {
            panic!("not an array");
        };
        array.dims.clone()
    }

    #[test]
    fn bytes_become_counts_and_counts_stay() {
        let mut profile = Profile::default();
        let outer = structure(
            0x100,
            vec![
                ("Bytes", 0, items(&[0x30])),
                ("Grid", 0x30, items(&[2, 0x40])),
                ("Counted", 0xb0, items(&[2])),
                ("Last", 0xd0, items(&[0x30])),
                ("Flexible", 0x100, items(&[0])),
            ],
        );
        profile.structs.insert("_OUTER".into(), outer);
        profile
            .structs
            .insert("_ITEM".into(), structure(0x10, vec![]));
        mend(&mut profile);
        assert_eq!(dims(&profile, "Bytes"), [3]);
        assert_eq!(dims(&profile, "Grid"), [2, 4]);
        assert_eq!(dims(&profile, "Counted"), [2]);
        assert_eq!(dims(&profile, "Last"), [3]);
        assert_eq!(dims(&profile, "Flexible"), [0]);
    }
}
