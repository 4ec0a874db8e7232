//! Where symbols of a module may lie below a directory.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use super::PdbId;

/// Entries of a directory that are looked through for a name in another case.
const MAX_ENTRIES: usize = 1 << 16;

/// Files below `directory` that hold the symbols of `id` by their names, the
/// quickest to read first.
///
/// Known layouts: the cache of `isr`, Volatility's symbol folders, symbol
/// stores, and files lying there as they are.
pub(super) fn candidates(directory: &Path, id: &PdbId) -> Vec<PathBuf> {
    let Some(pdb) = file_name(&id.name) else {
        return Vec::new();
    };
    let signature = id.signature();
    let [plain, packed] = table_names(id);
    let layouts: [&[&str]; 12] = [
        &["windows", pdb, &signature, ARCHIVE],
        &[pdb, &signature, ARCHIVE],
        &[&packed],
        &[&plain],
        &[pdb, &packed],
        &[pdb, &plain],
        &["windows", pdb, &packed],
        &["windows", pdb, &plain],
        &[pdb, &signature, pdb],
        &["windows", pdb, &signature, pdb],
        &[pdb],
        &["symbols", "pdb", pdb],
    ];
    let found = layouts.iter().filter_map(|parts| resolve(directory, parts));
    found.filter(|path| path.is_file()).collect()
}

/// Identities of the modules called one of `names` whose symbols lie below
/// `directory`, by the names of files and folders alone.
///
/// A table that lies there flat does not tell its module: it counts for the
/// first name.
pub(super) fn identities(directory: &Path, names: &[&str]) -> Vec<PdbId> {
    let flat = names.first().map(|name| (directory.to_owned(), *name));
    let folders = names.iter().flat_map(|name| {
        let below = [&[*name][..], &["windows", *name]];
        let found = below.map(|parts| resolve(directory, parts));
        found.into_iter().flatten().map(|folder| (folder, *name))
    });
    let mut ids = Vec::new();
    for (folder, name) in flat.into_iter().chain(folders) {
        let entries = fs::read_dir(folder).into_iter().flatten().take(MAX_ENTRIES);
        ids.extend(entries.filter_map(|entry| identity(&entry.ok()?.path(), name)));
    }
    ids
}

/// The identity that a file's or folder's name tells: `GUID-AGE.json(.xz)` or
/// `GUIDAGE`.
pub(super) fn identity(path: &Path, name: &str) -> Option<PdbId> {
    let entry = path.file_name()?.to_str()?;
    let stem = entry.split('.').next()?;
    let Some((guid, age)) = stem.split_once('-').filter(|_| looks_like_table(stem)) else {
        return PdbId::parse(name, entry).ok();
    };
    let age: u32 = age.parse().ok()?;
    PdbId::parse(name, &format!("{guid}{age:X}")).ok()
}

/// Name of a profile in the cache of `isr`.
pub(super) const ARCHIVE: &str = "profile.isr";

/// The directory of a module below the root of a cache with `isr`'s layout;
/// `None` when its name is no file name.
pub(super) fn cache_directory(root: &Path, id: &PdbId) -> Option<PathBuf> {
    let pdb = file_name(&id.name)?;
    let signature = id.signature().to_ascii_lowercase();
    Some(root.join("windows").join(pdb).join(signature))
}

/// Whether a file's name or its folder's says whose symbols it holds, and says
/// so of another module.
pub(super) fn names_another(path: &Path, id: &PdbId) -> bool {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    match name.split_once('.') {
        Some((stem, _)) if looks_like_table(stem) => {
            let [plain, _] = table_names(id);
            !plain.eq_ignore_ascii_case(&format!("{stem}.json"))
        }
        _ => false,
    }
}

/// Whether an archive, which does not tell itself, is `id`'s by its place: in a
/// folder or under a name that is the signature.
pub(super) fn archive_is_of(path: &Path, id: &PdbId) -> bool {
    let [plain, _] = table_names(id);
    let signature = id.signature();
    let stem = path.file_stem().and_then(OsStr::to_str).unwrap_or_default();
    let folder = path.parent().and_then(Path::file_name);
    let folder = folder.and_then(OsStr::to_str).unwrap_or_default();
    stem.eq_ignore_ascii_case(&signature)
        || format!("{stem}.json").eq_ignore_ascii_case(&plain)
        || folder.eq_ignore_ascii_case(&signature)
}

/// Names of Volatility's table of a module, plain and compressed.
fn table_names(id: &PdbId) -> [String; 2] {
    let plain = format!("{}-{}.json", id.guid_text(), id.age);
    let packed = format!("{plain}.xz");
    [plain, packed]
}

/// Whether a name is a GUID, a dash and an age.
fn looks_like_table(stem: &str) -> bool {
    stem.split_once('-').is_some_and(|(guid, age)| {
        let hexadecimal = guid.bytes().all(|byte| byte.is_ascii_hexdigit());
        guid.len() == 32 && hexadecimal && age.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// A name from guest memory, if it can be the name of a file.
fn file_name(name: &str) -> Option<&str> {
    let harmless = !matches!(name, "" | "." | "..")
        && name.len() <= 255
        && !name.contains(|character: char| matches!(character, '/' | '\\') || character < ' ');
    harmless.then_some(name)
}

/// Follows names down from a directory; case counts only when it decides
/// between two.
fn resolve(directory: &Path, parts: &[&str]) -> Option<PathBuf> {
    parts
        .iter()
        .try_fold(directory.to_owned(), |path, part| child(&path, part))
}

fn child(directory: &Path, name: &str) -> Option<PathBuf> {
    let exact = directory.join(name);
    if exact.exists() {
        return Some(exact);
    }
    let entries = fs::read_dir(directory).ok()?.take(MAX_ENTRIES);
    let mut paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths.find(|path| {
        let entry = path.file_name();
        entry.is_some_and(|entry| entry.eq_ignore_ascii_case(name))
    })
}

/// What a `_NT_SYMBOL_PATH` names, each in order.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct SymbolPath {
    /// Local directories.
    pub stores: Vec<PathBuf>,
    /// Addresses of symbol servers.
    pub servers: Vec<String>,
}

impl SymbolPath {
    /// What the environment's `_NT_SYMBOL_PATH` names.
    pub fn from_environment() -> Self {
        Self::parse(&std::env::var("_NT_SYMBOL_PATH").unwrap_or_default())
    }

    /// Takes a symbol path apart.
    ///
    /// Entries are separated by `;`. In `srv*`, `cache*` and `symsrv*` entries
    /// each part is a store, or a server when it is a URL.
    pub fn parse(text: &str) -> Self {
        let parts = text.split(';').map(str::trim).flat_map(parts_of_entry);
        let (servers, stores) = parts.partition::<Vec<_>, _>(|part| part.contains("://"));
        Self {
            stores: stores.into_iter().map(PathBuf::from).collect(),
            servers: servers.into_iter().map(String::from).collect(),
        }
    }
}

/// The parts of an entry, without the keywords and the server's library.
fn parts_of_entry(entry: &str) -> impl Iterator<Item = &str> {
    let (kind, rest) = entry.split_once('*').unwrap_or((entry, ""));
    let is = |name: &str| kind.eq_ignore_ascii_case(name);
    let parts = if is("symsrv") {
        rest.split_once('*').map_or("", |(_library, rest)| rest)
    } else if is("srv") || is("cache") {
        rest
    } else {
        entry
    };
    parts.split('*').filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symbol_path_is_taken_apart() {
        let text = r"srv*/a/b*https://one/s; /c ;CACHE*/d;;symsrv*symsrv.dll*/e*http://two/;SRV*";
        let path = SymbolPath::parse(text);
        assert_eq!(path.stores, ["/a/b", "/c", "/d", "/e"].map(PathBuf::from));
        assert_eq!(path.servers, ["https://one/s", "http://two/"]);
        assert_eq!(SymbolPath::parse(""), SymbolPath::default());
        assert!(SymbolPath::parse("srv*https://one").stores.is_empty());
    }

    #[test]
    fn names_that_leave_the_directory_are_refused() {
        for name in ["", ".", "..", "a/b", r"a\b", "a\0", "a\nb"] {
            assert_eq!(file_name(name), None, "{name:?}");
        }
        assert_eq!(file_name("nt krnl.pdb"), Some("nt krnl.pdb"));
    }

    #[test]
    fn a_table_of_another_module_is_known_by_its_name() {
        let id = PdbId::parse("nt.pdb", "5278AFF86C341677D7D7835C85B7B8441").unwrap();
        let other = |name: &str| names_another(Path::new(name), &id);
        assert!(!other("/x/5278aff86c341677d7d7835c85b7b844-1.json.xz"));
        assert!(other("/x/5278AFF86C341677D7D7835C85B7B844-2.json"));
        assert!(other("/x/0278AFF86C341677D7D7835C85B7B844-1.json.xz"));
        assert!(!other("/x/ntkrnlmp.json"));
    }
}
