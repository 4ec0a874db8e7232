//! The object namespace: directories and symbolic links.

use crate::guest::Guest;
use crate::object::header::NewObject;
use crate::object::types;

/// Number of hash buckets in a directory.
const BUCKETS: u32 = 37;

/// Directories of the namespace besides the root, parents first.
const DIRECTORIES: [&str; 14] = [
    "\\ObjectTypes",
    "\\Device",
    "\\Driver",
    "\\FileSystem",
    "\\GLOBAL??",
    "\\BaseNamedObjects",
    "\\KernelObjects",
    "\\KnownDlls",
    "\\RPC Control",
    "\\Windows",
    "\\Windows\\WindowStations",
    "\\Sessions",
    "\\Sessions\\1",
    "\\Sessions\\1\\BaseNamedObjects",
];

/// Symbolic links: path, target, number of the drive letter or 0.
const LINKS: [(&str, &str, u64); 3] = [
    ("\\DosDevices", "\\??", 0),
    ("\\GLOBAL??\\C:", "\\Device\\HarddiskVolume2", 3),
    ("\\BaseNamedObjects\\Global", "\\BaseNamedObjects", 0),
];

/// Makes the root, the standard directories and links, and names the types.
pub(crate) fn build_namespace(guest: &mut Guest) {
    let size = guest.profile.size_of("_OBJECT_DIRECTORY");
    let root = guest.create_object(&NewObject {
        type_name: "Directory",
        name: Some("\\"),
        path: Some("\\"),
        size,
        ..NewObject::default()
    });
    guest.namespace.insert("\\".into(), root);
    guest.write_u64(guest.symbol("ObpRootDirectoryObject"), root);
    for path in DIRECTORIES {
        guest.create_directory(path);
    }
    for (path, target, drive) in LINKS {
        guest.create_symbolic_link(path, target, drive);
    }
    let directory = guest.namespace["\\ObjectTypes"];
    for (name, object) in types::objects(guest) {
        guest.enter_directory(directory, name, object);
        guest.name_in_directory(object, directory);
        guest
            .namespace
            .insert(format!("\\ObjectTypes\\{name}"), object);
    }
}

/// The bucket of a name: the kernel's hash of the upper-case name.
fn bucket(name: &str) -> u32 {
    hash(name) % BUCKETS
}

fn hash(name: &str) -> u32 {
    name.encode_utf16().fold(0u32, |hash, unit| {
        let upper = u8::try_from(unit).map_or(unit, |ascii| ascii.to_ascii_uppercase().into());
        hash.wrapping_add(hash << 1)
            .wrapping_add(hash >> 1)
            .wrapping_add(upper.into())
    })
}

/// Splits a namespace path into its directory and its last component.
fn split(path: &str) -> (&str, &str) {
    match path.rsplit_once('\\') {
        Some(("", name)) => ("\\", name),
        Some(parts) => parts,
        None => panic!("{path} is no absolute path"),
    }
}

impl Guest {
    /// The object of a namespace path that the forge entered.
    pub fn lookup(&self, path: &str) -> Option<u64> {
        self.namespace.get(path).copied()
    }

    /// Makes a directory object; its parent must exist.
    pub fn create_directory(&mut self, path: &str) -> u64 {
        let size = self.profile.size_of("_OBJECT_DIRECTORY");
        self.create_named("Directory", path, size)
    }

    /// Makes a symbolic link object.
    pub fn create_symbolic_link(&mut self, path: &str, target: &str, drive: u64) -> u64 {
        let size = self.profile.size_of("_OBJECT_SYMBOLIC_LINK");
        let link = self.create_named("SymbolicLink", path, size);
        let (buffer, length) = self.allocate_string(target);
        let mut record = self.record("_OBJECT_SYMBOLIC_LINK");
        record
            .set("CreationTime.QuadPart", crate::clock::BOOT)
            .set_string("LinkTarget", length, buffer)
            .set("DosDeviceDriveIndex", drive);
        self.write_record(link, &record);
        self.expect_text(link, "link_target", target);
        self.expect_facts(link, &[("drive", drive)]);
        link
    }

    /// Makes an object with a zeroed body and enters it in the namespace.
    ///
    /// # Panics
    /// When the directory or the type does not exist.
    pub fn create_named(&mut self, type_name: &str, path: &str, size: u64) -> u64 {
        let (parent, name) = split(path);
        let directory = self
            .lookup(parent)
            .unwrap_or_else(|| panic!("no directory {parent}"));
        let object = self.create_object(&NewObject {
            type_name,
            name: Some(name),
            directory,
            path: Some(path),
            size,
            info: self.types.info(type_name),
        });
        self.enter_directory(directory, name, object);
        self.namespace.insert(path.to_owned(), object);
        object
    }

    /// Makes an object without a name, with a zeroed body.
    ///
    /// # Panics
    /// When the type does not exist.
    pub fn create_unnamed(&mut self, type_name: &str, size: u64) -> u64 {
        let info = self.types.info(type_name);
        self.create_object(&NewObject {
            type_name,
            size,
            info,
            ..NewObject::default()
        })
    }

    /// Links an entry for an object into a directory, at the head of its bucket's chain.
    pub fn enter_directory(&mut self, directory: u64, name: &str, object: u64) -> u64 {
        let field = format!("HashBuckets[{}]", bucket(name));
        let head = self.peek_field(directory, "_OBJECT_DIRECTORY", &field);
        let entry = self.allocate(self.profile.size_of("_OBJECT_DIRECTORY_ENTRY"));
        let mut record = self.record("_OBJECT_DIRECTORY_ENTRY");
        record
            .set("ChainLink", head)
            .set("Object", object)
            .set("HashValue", hash(name).into());
        self.write_record(entry, &record);
        self.poke_field(directory, "_OBJECT_DIRECTORY", &field, entry);
        entry
    }

    /// Sets the directory of a named object.
    fn name_in_directory(&mut self, object: u64, directory: u64) {
        let info = self.object_info(object, crate::object::InfoMask::NAME);
        let info = info.unwrap_or_else(|| panic!("{object:#x} has no name"));
        self.poke_field(info, "_OBJECT_HEADER_NAME_INFO", "Directory", directory);
    }
}
