//! Objects of the object manager: `_OBJECT_HEADER` and what follows it.
//!
//! An object is known by the address of its body; the header lies in front of
//! it, optional headers in front of that. One file per structure.

mod alpc_port;
mod attributes;
mod cast;
mod device;
mod device_map;
mod directory;
mod dispatcher;
mod driver;
mod event;
mod file;
mod handle;
mod key;
mod key_control_block;
mod kind;
mod layouts;
mod mutant;
mod name;
mod namespace;
mod object_type;
mod path;
mod section;
mod semaphore;
mod symbolic_link;
mod timer;
mod trail;
mod type_table;

use std::borrow::Cow;

use bitflags::bitflags;
use isr::macros::Field;

pub use self::{
    alpc_port::AlpcPort,
    attributes::ObjectAttributes,
    device::DeviceObject,
    device_map::DeviceMap,
    directory::{DirectoryEntries, DirectoryObject},
    driver::{DriverDevices, DriverObject, MAJOR_FUNCTIONS},
    event::{EventObject, ResetMode},
    file::{FileAccess, FileObject},
    key::KeyObject,
    key_control_block::KeyControlBlock,
    kind::ObjectKind,
    mutant::MutantObject,
    name::NameInfo,
    namespace::ResolvedPath,
    object_type::ObjectType,
    section::SectionObject,
    semaphore::SemaphoreObject,
    symbolic_link::SymbolicLink,
    timer::TimerObject,
    type_table::ObjectTypes,
};
use super::{Record, Windows};
use crate::{core::Va, error::Result};

pub(super) use self::{layouts::Layouts, type_table::TypeCache};

isr::macros::offsets! {
    /// Where the fields of an object header are.
    pub struct Layout {
        struct _OBJECT_HEADER {
            PointerCount: Field,
            HandleCount: Field,
            TypeIndex: Field,
            InfoMask: Field,
            Flags: Field,
            SecurityDescriptor: Field,
        }
    }
}

bitflags! {
    /// Flags of an object. Corresponds to `_OBJECT_HEADER.Flags`.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct ObjectFlags: u8 {
        /// Creation has not ended.
        const NEW = 0x01;
        /// Made by the kernel.
        const KERNEL = 0x02;
        /// Only the kernel may open it.
        const KERNEL_ONLY = 0x04;
        /// Only one process may have it open.
        const EXCLUSIVE = 0x08;
        /// It lives on without handles.
        const PERMANENT = 0x10;
        /// Its default security is charged to a quota.
        const DEFAULT_SECURITY_QUOTA = 0x20;
        /// At most one process has handles to it.
        const SINGLE_HANDLE_ENTRY = 0x40;
        /// It was deleted at once, not by the worker thread.
        const DELETED_INLINE = 0x80;
    }
}

/// An object.
#[derive(Clone, Copy)]
pub struct Object<'a> {
    windows: &'a Windows,
    header: Record<'a>,
}

impl<'a> Object<'a> {
    /// The object whose body is at `body`.
    pub fn new(windows: &'a Windows, body: Va) -> Self {
        let header = body.wrapping_sub(windows.body_offset());
        Self {
            windows,
            header: windows.record(header),
        }
    }

    /// Size of a buffer for [`Object::with_copy`], in bytes.
    pub const SNAPSHOT: usize = 64;

    /// The same object with its header read once into `buffer`, for many getters.
    pub fn with_copy(self, buffer: &'a mut [u8]) -> Self {
        let length = buffer.len().min(self.windows.body_offset() as usize);
        match buffer.get_mut(..length) {
            Some(buffer) => Self {
                header: self.header.with_copy(buffer),
                ..self
            },
            None => self,
        }
    }

    fn layout(&self) -> &'a _OBJECT_HEADER {
        &self.windows.layouts.object.header._OBJECT_HEADER
    }

    /// Address of the object's body, which stands for the object.
    pub fn address(&self) -> Va {
        self.header.base().wrapping_add(self.windows.body_offset())
    }

    /// Address of the `_OBJECT_HEADER`.
    pub const fn header_address(&self) -> Va {
        self.header.base()
    }

    /// Number of references, in the kernel's own reckoning (Windows 8 and later
    /// count in advance for each handle).
    /// Corresponds to `_OBJECT_HEADER.PointerCount`.
    pub fn pointer_count(&self) -> Result<i64> {
        let count = self.header.uint(self.layout().PointerCount)?;
        Ok(count.cast_signed())
    }

    /// Number of open handles. Corresponds to `_OBJECT_HEADER.HandleCount`.
    pub fn handle_count(&self) -> Result<i64> {
        let count = self.header.uint(self.layout().HandleCount)?;
        Ok(count.cast_signed())
    }

    /// Flags. Corresponds to `_OBJECT_HEADER.Flags`.
    pub fn flags(&self) -> Result<ObjectFlags> {
        self.byte(self.layout().Flags)
            .map(ObjectFlags::from_bits_retain)
    }

    /// Which optional headers the object has, a bit for each.
    /// Corresponds to `_OBJECT_HEADER.InfoMask`.
    pub fn info_mask(&self) -> Result<u8> {
        self.byte(self.layout().InfoMask)
    }

    /// Address of the security descriptor, `None` for objects without their own.
    /// Corresponds to `_OBJECT_HEADER.SecurityDescriptor`.
    pub fn security_descriptor(&self) -> Result<Option<Va>> {
        self.header.fast_reference(self.layout().SecurityDescriptor)
    }

    /// Index of the object's type, decoded. Corresponds to `_OBJECT_HEADER.TypeIndex`.
    pub fn type_index(&self) -> Result<u8> {
        let encoded = self.byte(self.layout().TypeIndex)?;
        self.windows
            .decode_type_index(self.header_address(), encoded)
    }

    /// The object's type.
    pub fn object_type(&self) -> Result<ObjectType<'a>> {
        self.windows.object_type(self.type_index()?)
    }

    /// What the object is.
    pub fn kind(&self) -> Result<ObjectKind> {
        self.windows.object_kind(self.type_index()?)
    }

    /// Name of the object's type, of known kinds without reading it again.
    /// Corresponds to `_OBJECT_TYPE.Name`.
    pub fn type_name(&self) -> Result<Cow<'static, str>> {
        let index = self.type_index()?;
        match self.windows.object_kind(index)?.name() {
            Some(name) => Ok(Cow::Borrowed(name)),
            None => self.windows.object_type(index)?.name(),
        }
    }

    fn byte(&self, field: Field) -> Result<u8> {
        self.header.bytes::<1>(field).map(|[byte]| byte)
    }
}

impl Windows {
    /// The object whose body is at `body`.
    pub fn object(&self, body: Va) -> Object<'_> {
        Object::new(self, body)
    }
}
