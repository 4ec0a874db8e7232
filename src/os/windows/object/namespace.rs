//! Paths in the object namespace, followed as the kernel follows them.

use super::{DirectoryObject, Object, ObjectKind, SymbolicLink, path};
use crate::{
    error::{Error, Result},
    os::windows::{Process, Windows},
};

/// As many links as the kernel follows for one path.
const LINKS_MAX: usize = 32;

/// The name below the root that each process sees its own way (`??`).
const DOS_DEVICES: [u16; 2] = [b'?' as u16; 2];

/// The directory of the devices that all processes see.
const GLOBAL_DOS_DEVICES: &str = "\\GLOBAL??";

/// What a path leads to.
#[derive(Clone)]
pub struct ResolvedPath<'a> {
    /// The object.
    pub object: Object<'a>,
    /// UTF-16 units of the rest of the path, which the object itself gives a
    /// meaning: of `\??\C:\boot.ini`, `\boot.ini` on a device. Often empty.
    pub rest: Vec<u16>,
}

/// One step of following a path.
enum Step<'a> {
    /// Go on with this path from the root.
    Link(Vec<u16>),
    Found(ResolvedPath<'a>),
    Missing,
}

/// The first component of a path and the rest after it, both without the
/// backslash in front of the component.
fn split(path: &[u16]) -> (&[u16], &[u16]) {
    let path = path.strip_prefix(&[path::BACKSLASH]).unwrap_or(path);
    let end = path.iter().position(|unit| *unit == path::BACKSLASH);
    path.split_at(end.unwrap_or(path.len()))
}

/// UTF-16 units of a path from the root.
fn absolute(path: &str) -> Result<Vec<u16>> {
    let units: Vec<u16> = path.encode_utf16().collect();
    match path::is_absolute(&units) {
        true => Ok(units),
        false => Err(Error::invalid_argument(
            "path",
            "it must begin with a backslash",
        )),
    }
}

impl Windows {
    /// The object at exactly this path of the namespace, ASCII case ignored; no
    /// symbolic link is followed. `None` when there is none.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] when the path does not begin with a backslash.
    pub fn object_at(&self, path: &str) -> Result<Option<Object<'_>>> {
        let path = absolute(path)?;
        let mut object = self.root_directory()?.object();
        let mut rest = path.as_slice();
        loop {
            let (component, after) = split(rest);
            if component.is_empty() && after.is_empty() {
                return Ok(Some(object));
            }
            let Some(directory) = object.as_directory()? else {
                return Ok(None);
            };
            match directory.child_utf16(component)? {
                Some(child) => object = child,
                None => return Ok(None),
            }
            rest = after;
        }
    }

    /// What a path leads to when symbolic links are followed: the first object
    /// on the way that is neither directory nor link, or the object at its end.
    /// `None` when nothing is there.
    ///
    /// `process` gives `\??` its meaning: the drives of its logon session come
    /// before those of the system, which alone count without a process.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] when the path does not begin with a backslash,
    /// [`Error::Corrupt`] when links lead to links without end.
    pub fn resolve_path<'a>(
        &'a self,
        path: &str,
        process: Option<Process<'a>>,
    ) -> Result<Option<ResolvedPath<'a>>> {
        let mut path = absolute(path)?;
        for _ in 0..=LINKS_MAX {
            match self.follow(&path, process)? {
                Step::Link(next) => path = next,
                Step::Found(found) => return Ok(Some(found)),
                Step::Missing => return Ok(None),
            }
        }
        let root = self.root_directory()?.address();
        let reason = "links lead to links without end";
        Err(Error::corrupt(
            "_OBJECT_SYMBOLIC_LINK.LinkTarget",
            root,
            reason,
        ))
    }

    /// Follows a path up to its end or the next link.
    fn follow<'a>(&'a self, path: &[u16], process: Option<Process<'a>>) -> Result<Step<'a>> {
        let Some((mut object, mut rest)) = self.start(path, process)? else {
            return Ok(Step::Missing);
        };
        loop {
            let (component, after) = split(rest);
            let kind = object.kind()?;
            if kind == ObjectKind::SymbolicLink {
                return self.follow_link(object, rest);
            }
            let is_end = component.is_empty() && after.is_empty();
            if kind != ObjectKind::Directory || is_end {
                let rest = rest.to_vec();
                return Ok(Step::Found(ResolvedPath { object, rest }));
            }
            let directory = DirectoryObject::new(self, object.address());
            match directory.child_utf16(component)? {
                Some(child) => (object, rest) = (child, after),
                None => return Ok(Step::Missing),
            }
        }
    }

    /// The object that a path begins at and the rest of the path: the root, or
    /// the device of a path below `\??`, which is no directory of its own.
    fn start<'a, 'p>(
        &'a self,
        path: &'p [u16],
        process: Option<Process<'a>>,
    ) -> Result<Option<(Object<'a>, &'p [u16])>> {
        let (component, after) = split(path);
        if component != DOS_DEVICES {
            return Ok(Some((self.root_directory()?.object(), path)));
        }
        let (device, rest) = split(after);
        let object = match device {
            [] => self.object_at(GLOBAL_DOS_DEVICES)?,
            device => self.dos_device(device, process)?,
        };
        Ok(object.map(|object| (object, rest)))
    }

    /// The link of a device in the process's own directory, else in the system's.
    fn dos_device<'a>(
        &'a self,
        name: &[u16],
        process: Option<Process<'a>>,
    ) -> Result<Option<Object<'a>>> {
        let map = process.map(|process| process.device_map()).transpose()?;
        if let Some(own) = map.flatten().map(|map| map.dos_devices()).transpose()?
            && let Some(link) = own.map(|own| own.child_utf16(name)).transpose()?.flatten()
        {
            return Ok(Some(link));
        }
        let global = self.object_at(GLOBAL_DOS_DEVICES)?;
        let global = global.map(|global| global.as_directory()).transpose()?;
        match global.flatten() {
            Some(global) => global.child_utf16(name),
            None => Ok(None),
        }
    }

    fn follow_link<'a>(&'a self, link: Object<'a>, rest: &[u16]) -> Result<Step<'a>> {
        let target = SymbolicLink::new(self, link.address()).target_utf16()?;
        match target {
            Some(target) if path::is_absolute(&target) => {
                let structure = "_OBJECT_SYMBOLIC_LINK.LinkTarget";
                path::join(target, rest, structure, link.address()).map(Step::Link)
            }
            // Targets that only a driver knows, or that are no paths.
            _ => Ok(Step::Found(ResolvedPath {
                object: link,
                rest: rest.to_vec(),
            })),
        }
    }
}
