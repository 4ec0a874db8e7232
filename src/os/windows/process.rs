//! `_EPROCESS`.

use std::borrow::Cow;

use isr::macros::Field;

use super::{List, Object, Record, Threads, Windows, handle_table::HandleTable, time::FileTime};
use crate::{
    core::{Memory, Pa, Space, Va},
    error::{Error, Result},
};

isr::macros::offsets! {
    /// Where the fields of a process are.
    pub struct Layout {
        struct _KPROCESS {
            DirectoryTableBase: Field,
            UserDirectoryTableBase: Option<Field>,
        }

        struct _EPROCESS {
            UniqueProcessId: Field,
            ActiveProcessLinks: Field,
            InheritedFromUniqueProcessId: Field,
            ImageFileName: Field,
            #[isr(alias = "Wow64Process")]
            WoW64Process: Option<Field>,
            SectionBaseAddress: Field,
            CreateTime: Field,
            ExitTime: Field,
            ExitStatus: Field,
            Peb: Field,
            Session: Option<Field>,
            Token: Field,
            ObjectTable: Field,
            ThreadListHead: Field,
            ActiveThreads: Option<Field>,
            SeAuditProcessCreationInfo: Field,
            Protection: Option<Field>,
        }

        struct _SE_AUDIT_PROCESS_CREATION_INFO {
            ImageFileName: Field,
        }

        struct _OBJECT_NAME_INFORMATION {
            Name: Field,
        }

        #[isr(optional)]
        struct _EWOW64PROCESS {
            Peb: Field,
        }
    }
}

/// Bytes of an image file name in `_EPROCESS.ImageFileName`, terminator excluded.
const NAME_MAX: usize = 15;

/// User roots below this are flags ("no shadow"), not tables.
const LOWEST_USER_ROOT: u64 = 4096;

/// Instruction set that a process was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    /// 32-bit code under WoW64.
    X86,
    /// 64-bit code.
    Amd64,
}

impl Architecture {
    /// Size of a pointer in bytes.
    pub const fn pointer_size(self) -> usize {
        match self {
            Self::X86 => 4,
            Self::Amd64 => 8,
        }
    }

    /// Reads a pointer of this width, NULL included.
    pub fn read_pointer(self, memory: &Memory, space: Space, address: Va) -> Result<Va> {
        let field = Field::new(0, self.pointer_size() as u64);
        Record::new(memory, space, address).uint(field).map(Va)
    }
}

/// An image file name as an `_EPROCESS` keeps it.
#[derive(Debug, Clone, Copy)]
pub struct ImageName([u8; NAME_MAX]);

impl ImageName {
    /// The name; bytes that are not UTF-8 become U+FFFD.
    pub fn text(&self) -> Cow<'_, str> {
        let end = self.0.iter().position(|&byte| byte == 0);
        let bytes = self.0.get(..end.unwrap_or(NAME_MAX)).unwrap_or_default();
        if bytes.is_ascii() {
            // SAFETY: ASCII is UTF-8; to look for more takes longer than all the rest.
            return Cow::Borrowed(unsafe { str::from_utf8_unchecked(bytes) });
        }
        String::from_utf8_lossy(bytes)
    }
}

/// A process environment block and the width of its pointers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PebAddress {
    /// Its address in the process's own space.
    pub address: Va,
    /// Whether its fields are those of 32-bit or of 64-bit code.
    pub architecture: Architecture,
}

/// A process.
#[derive(Clone, Copy)]
pub struct Process<'a> {
    windows: &'a Windows,
    record: Record<'a>,
}

impl<'a> Process<'a> {
    /// The process whose `_EPROCESS` is at `object`.
    #[inline]
    pub fn new(windows: &'a Windows, object: Va) -> Self {
        Self {
            windows,
            record: windows.record(object),
        }
    }

    /// The same process with its `_EPROCESS` read once into `buffer`, for many getters.
    ///
    /// [`Process::SNAPSHOT`] bytes hold what the getters need on every known Windows.
    pub fn with_copy(self, buffer: &'a mut [u8]) -> Self {
        let wanted = self.layout()._EPROCESS.effective_len();
        let length = wanted.min(buffer.len());
        match buffer.get_mut(..length) {
            Some(buffer) => Self {
                record: self.record.with_copy(buffer),
                ..self
            },
            None => self,
        }
    }

    /// Size of a buffer for [`Process::with_copy`], in bytes.
    pub const SNAPSHOT: usize = 4096;

    #[inline]
    pub(super) fn layout(&self) -> &'a Layout {
        &self.windows.layouts.process
    }

    pub(super) const fn windows(&self) -> &'a Windows {
        self.windows
    }

    pub(super) const fn record(&self) -> &Record<'a> {
        &self.record
    }

    /// The process as an object.
    pub fn as_object(&self) -> Object<'a> {
        Object::new(self.windows, self.object())
    }

    /// Address of the `_EPROCESS`: the process object.
    pub const fn object(&self) -> Va {
        self.record.base()
    }

    /// Process id. Corresponds to `_EPROCESS.UniqueProcessId`.
    #[inline]
    pub fn id(&self) -> Result<u32> {
        self.record.uint32(self.layout()._EPROCESS.UniqueProcessId)
    }

    /// Id of the creating process, which may be gone or reused.
    /// Corresponds to `_EPROCESS.InheritedFromUniqueProcessId`.
    #[inline]
    pub fn parent_id(&self) -> Result<u32> {
        let field = self.layout()._EPROCESS.InheritedFromUniqueProcessId;
        self.record.uint32(field)
    }

    /// Image file name, cut by Windows at 14 or 15 bytes; bytes that are not
    /// UTF-8 become U+FFFD. Corresponds to `_EPROCESS.ImageFileName`.
    pub fn name(&self) -> Result<String> {
        Ok(self.image_name()?.text().into_owned())
    }

    /// As [`Process::name`], as it is kept by Windows.
    #[inline]
    pub fn image_name(&self) -> Result<ImageName> {
        let field = self.layout()._EPROCESS.ImageFileName;
        Ok(ImageName(self.record.bytes(field)?))
    }

    /// 32-bit under WoW64, else 64-bit.
    pub fn architecture(&self) -> Result<Architecture> {
        Ok(match self.is_wow64()? {
            true => Architecture::X86,
            false => Architecture::Amd64,
        })
    }

    /// Does the process run 32-bit code? Corresponds to `_EPROCESS.WoW64Process`
    /// (`Wow64Process` on Windows 7 and 8.1) not being NULL.
    pub fn is_wow64(&self) -> Result<bool> {
        Ok(self.wow64_process()?.is_some())
    }

    fn wow64_process(&self) -> Result<Option<Va>> {
        match self.layout()._EPROCESS.WoW64Process {
            Some(field) => self.record.pointer_or_none(field),
            None => Ok(None),
        }
    }

    /// Root of the page tables that the kernel uses for this process.
    /// Corresponds to `_KPROCESS.DirectoryTableBase`.
    pub fn translation_root(&self) -> Result<Pa> {
        let field = self.layout()._KPROCESS.DirectoryTableBase;
        self.record.uint(field).map(|dtb| self.windows.root_of(dtb))
    }

    /// Root that is active in user mode; equals [`Process::translation_root`]
    /// without KVA shadow. Corresponds to `_KPROCESS.UserDirectoryTableBase`.
    pub fn user_translation_root(&self) -> Result<Pa> {
        let Some(field) = self.layout()._KPROCESS.UserDirectoryTableBase else {
            return self.translation_root();
        };
        match self.record.uint(field)? {
            dtb if dtb < LOWEST_USER_ROOT => self.translation_root(),
            dtb => Ok(self.windows.root_of(dtb)),
        }
    }

    /// The process's own address space.
    pub fn space(&self) -> Result<Space> {
        let root = self.translation_root()?;
        Ok(Space::Virtual { root })
    }

    /// Path of the executable as the kernel opened it
    /// (`\Device\HarddiskVolume2\Windows\explorer.exe`), `None` for processes of the kernel.
    /// Corresponds to `_EPROCESS.SeAuditProcessCreationInfo.ImageFileName`.
    pub fn image_path(&self) -> Result<Option<String>> {
        let units = self.image_path_utf16()?;
        Ok(units.map(|units| String::from_utf16_lossy(&units)))
    }

    /// UTF-16 units of [`Process::image_path`].
    pub fn image_path_utf16(&self) -> Result<Option<Vec<u16>>> {
        let layout = self.layout();
        let audit = layout._EPROCESS.SeAuditProcessCreationInfo;
        let name = layout._SE_AUDIT_PROCESS_CREATION_INFO.ImageFileName;
        let name = self.record.embedded(audit).pointer_or_none(name)?;
        let field = layout._OBJECT_NAME_INFORMATION.Name;
        let units = |name| self.record.at(name).unicode_string(field);
        name.map(units).transpose()
    }

    /// Base of the executable. Corresponds to `_EPROCESS.SectionBaseAddress`.
    pub fn image_base(&self) -> Result<Va> {
        self.record
            .pointer(self.layout()._EPROCESS.SectionBaseAddress)
    }

    /// Time of creation. Corresponds to `_EPROCESS.CreateTime`.
    pub fn create_time(&self) -> Result<FileTime> {
        let field = self.layout()._EPROCESS.CreateTime;
        self.record.uint(field).map(FileTime)
    }

    /// Time of exit, 0 while the process lives. Corresponds to `_EPROCESS.ExitTime`.
    pub fn exit_time(&self) -> Result<FileTime> {
        let field = self.layout()._EPROCESS.ExitTime;
        self.record.uint(field).map(FileTime)
    }

    /// Exit status (an `NTSTATUS`; 0x103 while the process lives).
    /// Corresponds to `_EPROCESS.ExitStatus`.
    pub fn exit_status(&self) -> Result<i32> {
        let field = self.layout()._EPROCESS.ExitStatus;
        self.record.uint32(field).map(u32::cast_signed)
    }

    /// The PEB that the process's own code uses: the 32-bit one under WoW64.
    ///
    /// Where `_EWOW64PROCESS` does not exist (Windows 7, 8.1), the WoW64 pointer
    /// of the `_EPROCESS` is the 32-bit PEB itself.
    pub fn peb(&self) -> Result<Option<PebAddress>> {
        let Some(wow64) = self.wow64_process()? else {
            return self.native_peb();
        };
        let address = match &self.layout()._EWOW64PROCESS {
            Some(layout) => self.record.at(wow64).pointer_or_none(layout.Peb)?,
            None => Some(wow64),
        };
        Ok(address.map(|address| PebAddress {
            address,
            architecture: Architecture::X86,
        }))
    }

    /// The 64-bit PEB. Corresponds to `_EPROCESS.Peb`.
    pub fn native_peb(&self) -> Result<Option<PebAddress>> {
        let address = self.record.pointer_or_none(self.layout()._EPROCESS.Peb)?;
        Ok(address.map(|address| PebAddress {
            address,
            architecture: Architecture::Amd64,
        }))
    }

    /// Address of the session structure, `None` for system processes.
    /// Corresponds to `_EPROCESS.Session`.
    pub fn session(&self) -> Result<Option<Va>> {
        let field = self.layout()._EPROCESS.Session;
        let field = field.ok_or_else(|| Error::layout("_EPROCESS.Session"))?;
        self.record.pointer_or_none(field)
    }

    /// Address of the primary token. Corresponds to `_EPROCESS.Token`.
    pub fn token(&self) -> Result<Option<Va>> {
        self.record.fast_reference(self.layout()._EPROCESS.Token)
    }

    /// Number of threads that have not exited. Corresponds to `_EPROCESS.ActiveThreads`.
    pub fn active_threads(&self) -> Result<u32> {
        let field = self.layout()._EPROCESS.ActiveThreads;
        self.record
            .uint32(field.ok_or_else(|| Error::layout("_EPROCESS.ActiveThreads"))?)
    }

    /// Address of the handle table, `None` once the process has exited.
    /// Corresponds to `_EPROCESS.ObjectTable`.
    pub fn handle_table_address(&self) -> Result<Option<Va>> {
        self.record
            .pointer_or_none(self.layout()._EPROCESS.ObjectTable)
    }

    /// The handle table, `None` once the process has exited.
    pub fn handle_table(&self) -> Result<Option<HandleTable<'a>>> {
        match self.handle_table_address()? {
            Some(table) => HandleTable::new(self.windows, table).map(Some),
            None => Ok(None),
        }
    }

    /// The process's threads. Corresponds to `_EPROCESS.ThreadListHead`.
    pub fn threads(&self) -> Threads<'a> {
        let head = self.record.address(self.layout()._EPROCESS.ThreadListHead);
        Threads::new(self.windows, head)
    }
}

/// The processes on a list (the active ones, those of a session or of a job); an
/// `Err` is a gap.
pub struct Processes<'a> {
    windows: &'a Windows,
    list: List<'a>,
    /// The links of the list in an `_EPROCESS`.
    link: Field,
}

impl<'a> Processes<'a> {
    /// The active processes. `head` corresponds to `PsActiveProcessHead`.
    pub(super) fn new(windows: &'a Windows, head: Va) -> Self {
        let link = windows.layouts.process._EPROCESS.ActiveProcessLinks;
        Self::linked(windows, head, link, "_EPROCESS.ActiveProcessLinks")
    }

    /// The processes on the list of `head` that are linked by `link`, whose name is `structure`.
    pub(super) fn linked(
        windows: &'a Windows,
        head: Va,
        link: Field,
        structure: &'static str,
    ) -> Self {
        Self {
            windows,
            list: windows.list(head, structure),
            link,
        }
    }
}

impl<'a> Iterator for Processes<'a> {
    type Item = Result<Process<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.list.next()?.map(|entry| {
            let object = entry.wrapping_sub(self.link.offset());
            Process::new(self.windows, object)
        }))
    }
}
