//! Object types (`_OBJECT_TYPE`) and the table of them.

use std::collections::HashMap;

use crate::guest::Guest;
use crate::object::header::{self, InfoMask, NewObject};

/// Value mixed into type indexes where the kernel has a cookie.
const COOKIE: u32 = 0x0000_00a7;
/// What the second entry of the table holds.
const BAD_POINTER: u64 = 0xbad0_b0b0;

/// A kind of object: name, optional headers of its objects, variables that point to the type.
type Kind = (&'static str, InfoMask, &'static [&'static str]);

/// Object types in order of index, from 2.
const KINDS: [Kind; 32] = [
    ("Type", InfoMask::CREATOR, &["ObpTypeObjectType"]),
    ("Directory", InfoMask::CREATOR, &["ObpDirectoryObjectType"]),
    (
        "SymbolicLink",
        InfoMask::CREATOR,
        &["ObpSymbolicLinkObjectType"],
    ),
    ("Token", InfoMask::QUOTA, &["SeTokenObjectType"]),
    ("Job", InfoMask::empty(), &["PsJobType"]),
    (
        "Process",
        InfoMask::QUOTA.union(InfoMask::HANDLE),
        &["PsProcessType"],
    ),
    ("Thread", InfoMask::QUOTA, &["PsThreadType"]),
    ("DebugObject", InfoMask::empty(), &[]),
    ("Event", InfoMask::QUOTA, &["ExEventObjectType"]),
    ("Mutant", InfoMask::QUOTA, &["ExMutantObjectType"]),
    ("Callback", InfoMask::empty(), &["ExCallbackObjectType"]),
    ("Semaphore", InfoMask::QUOTA, &["ExSemaphoreObjectType"]),
    ("Timer", InfoMask::QUOTA, &["ExTimerObjectType"]),
    ("Profile", InfoMask::empty(), &["ExProfileObjectType"]),
    ("KeyedEvent", InfoMask::empty(), &[]),
    (
        "WindowStation",
        InfoMask::CREATOR,
        &["ExWindowStationObjectType"],
    ),
    ("Desktop", InfoMask::HANDLE, &["ExDesktopObjectType"]),
    ("TpWorkerFactory", InfoMask::QUOTA, &[]),
    ("Adapter", InfoMask::empty(), &["IoAdapterObjectType"]),
    ("Controller", InfoMask::empty(), &["IoControllerObjectType"]),
    ("Device", InfoMask::empty(), &["IoDeviceObjectType"]),
    ("Driver", InfoMask::empty(), &["IoDriverObjectType"]),
    ("IoCompletion", InfoMask::QUOTA, &["IoCompletionObjectType"]),
    (
        "File",
        InfoMask::HANDLE.union(InfoMask::QUOTA),
        &["IoFileObjectType"],
    ),
    (
        "TmTm",
        InfoMask::empty(),
        &["TmTransactionManagerObjectType"],
    ),
    ("Section", InfoMask::HANDLE, &["MmSectionObjectType"]),
    ("Session", InfoMask::empty(), &["MmSessionObjectType"]),
    ("Key", InfoMask::QUOTA, &["CmKeyObjectType"]),
    (
        "ALPC Port",
        InfoMask::QUOTA,
        &["AlpcPortObjectType", "LpcPortObjectType"],
    ),
    ("PowerRequest", InfoMask::empty(), &[]),
    ("EtwRegistration", InfoMask::QUOTA, &[]),
    ("FilterConnectionPort", InfoMask::empty(), &[]),
];

/// Index of the first type.
const FIRST_INDEX: u8 = 2;

/// The types that exist.
#[derive(Clone, Default)]
pub(crate) struct ObjectTypes {
    by_name: HashMap<&'static str, TypeState>,
}

#[derive(Clone, Copy)]
struct TypeState {
    index: u8,
    info: InfoMask,
    object: u64,
    objects: u32,
    handles: u32,
}

impl ObjectTypes {
    fn get(&self, name: &str) -> &TypeState {
        self.by_name
            .get(name)
            .unwrap_or_else(|| panic!("no object type {name}"))
    }

    /// Index of a type in `ObTypeIndexTable`.
    pub(crate) fn index(&self, name: &str) -> u8 {
        self.get(name).index
    }

    /// Optional headers that objects of a type have.
    pub(crate) fn info(&self, name: &str) -> InfoMask {
        self.get(name).info
    }
}

/// Makes all types. They enter the `\ObjectTypes` directory when the namespace is built.
pub(crate) fn build(guest: &mut Guest) {
    if let Some(cookie) = guest.find_symbol("ObHeaderCookie") {
        guest.write(cookie, &COOKIE.to_le_bytes());
    }
    header::write_info_offsets(guest);
    guest.write_u64(guest.symbol("ObTypeIndexTable") + 8, BAD_POINTER);
    for (position, (name, info, _)) in KINDS.into_iter().enumerate() {
        let index = FIRST_INDEX + position as u8;
        let state = TypeState {
            index,
            info,
            object: 0,
            objects: 0,
            handles: 0,
        };
        guest.types.by_name.insert(name, state);
    }
    for (name, _, variables) in KINDS {
        build_one(guest, name, variables);
    }
}

fn build_one(guest: &mut Guest, name: &'static str, variables: &[&str]) {
    let path = format!("\\ObjectTypes\\{name}");
    let size = guest.profile.size_of("_OBJECT_TYPE");
    let info = guest.types.info("Type");
    let new = NewObject {
        type_name: "Type",
        name: Some(name),
        path: Some(&path),
        size,
        info,
        directory: 0,
    };
    let object = guest.create_object(&new);
    let index = guest.types.index(name);
    let (buffer, length) = guest.allocate_string(name);
    let mut record = guest.record("_OBJECT_TYPE");
    record
        .set_empty_list("TypeList", object)
        .set_empty_list("CallbackList", object)
        .set_string("Name", length, buffer)
        .set("Index", index.into())
        .set(
            "TypeInfo.Length",
            guest.profile.size_of("_OBJECT_TYPE_INITIALIZER"),
        )
        .set("TypeInfo.ValidAccessMask", 0x1f_ffff)
        .put("Key", &name.as_bytes()[..4.min(name.len())]);
    guest.write_record(object, &record);
    guest
        .types
        .by_name
        .entry(name)
        .and_modify(|state| state.object = object);
    guest.write_u64(
        guest.symbol("ObTypeIndexTable") + u64::from(index) * 8,
        object,
    );
    for variable in variables {
        if let Some(address) = guest.find_symbol(variable) {
            guest.write_u64(address, object);
        }
    }
    // Types made before their own type object existed are counted now.
    guest.write_type_counts(name);
}

/// Names and addresses of the type objects.
pub(crate) fn objects(guest: &Guest) -> Vec<(&'static str, u64)> {
    KINDS
        .iter()
        .map(|(name, _, _)| (*name, guest.types.get(name).object))
        .collect()
}

impl Guest {
    /// The type object of a type's name.
    ///
    /// # Panics
    /// When there is no such type.
    pub fn type_object(&self, name: &str) -> u64 {
        self.types.get(name).object
    }

    /// Counts one more object of a type.
    pub(crate) fn count_object(&mut self, name: &str) {
        if let Some(state) = self.types.by_name.get_mut(name) {
            state.objects += 1;
        }
        self.write_type_counts(name);
    }

    /// Counts one more handle to an object of a type.
    pub(crate) fn count_type_handle(&mut self, name: &str) {
        if let Some(state) = self.types.by_name.get_mut(name) {
            state.handles += 1;
        }
        self.write_type_counts(name);
    }

    fn write_type_counts(&mut self, name: &str) {
        let TypeState {
            object,
            objects,
            handles,
            ..
        } = *self.types.get(name);
        if object != 0 {
            let first = self.profile.offset("_OBJECT_TYPE", "TotalNumberOfObjects");
            let counts = [objects, handles, objects, handles];
            let bytes: Vec<u8> = counts.into_iter().flat_map(u32::to_le_bytes).collect();
            self.write(object + first, &bytes);
        }
    }
}
