//! From handle values to objects, in the context of a process.

use super::Object;
use crate::{
    error::{Error, Result},
    os::windows::{HandleEntry, HandleTable, Process, Thread},
};

/// The pseudo-handle of the current process.
const CURRENT_PROCESS: i64 = -1;

/// The pseudo-handle of the current thread.
const CURRENT_THREAD: i64 = -2;

/// What sets kernel handles apart, once sign-extended from 32 bits.
const KERNEL_HANDLE: i64 = !0x7fff_ffff;

/// A handle as code passes it, told apart by its value.
enum HandleKind {
    CurrentProcess,
    CurrentThread,
    /// A value in the kernel's handle table.
    Kernel(u64),
    /// A value in the process's own handle table.
    Own(u64),
}

impl HandleKind {
    /// 32-bit code passes 32 bits, which Windows extends by their sign.
    fn of(handle: u64) -> Self {
        let value = match u32::try_from(handle) {
            Ok(narrow) => i64::from(narrow.cast_signed()),
            Err(_) => handle.cast_signed(),
        };
        match value {
            CURRENT_PROCESS => Self::CurrentProcess,
            CURRENT_THREAD => Self::CurrentThread,
            value if value & KERNEL_HANDLE == KERNEL_HANDLE => {
                Self::Kernel((value & !KERNEL_HANDLE).cast_unsigned())
            }
            value => Self::Own(value.cast_unsigned()),
        }
    }
}

impl<'a> Process<'a> {
    /// The entry of a handle in this process, `None` when the handle is not open.
    ///
    /// Kernel handles (high bits set) and all handles of the System process are
    /// those of `ObpKernelHandleTable`. Pseudo-handles have no entry.
    pub fn lookup_handle(&self, handle: u64) -> Result<Option<HandleEntry>> {
        match HandleKind::of(handle) {
            HandleKind::CurrentProcess | HandleKind::CurrentThread => Ok(None),
            HandleKind::Kernel(value) => self.windows().kernel_handle_table()?.lookup(value),
            HandleKind::Own(value) => match self.table_of_own_handles()? {
                Some(table) => table.lookup(value),
                None => Ok(None),
            },
        }
    }

    fn table_of_own_handles(&self) -> Result<Option<HandleTable<'a>>> {
        match self.object() == self.windows().system_process()?.object() {
            true => self.windows().kernel_handle_table().map(Some),
            false => self.handle_table(),
        }
    }

    /// The object of a handle in this process, `None` when the handle is not open.
    ///
    /// The pseudo-handle -1 is the process itself, -2 is `thread`: the thread
    /// that uses the handle. All others as in [`Process::lookup_handle`].
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for -2 without a thread.
    pub fn lookup_object(
        &self,
        handle: u64,
        thread: Option<Thread<'a>>,
    ) -> Result<Option<Object<'a>>> {
        match HandleKind::of(handle) {
            HandleKind::CurrentProcess => Ok(Some(self.as_object())),
            HandleKind::CurrentThread => match thread {
                Some(thread) => Ok(Some(thread.as_object())),
                None => Err(Error::invalid_argument(
                    "thread",
                    "the handle of the current thread says nothing without it",
                )),
            },
            _ => {
                let entry = self.lookup_handle(handle)?;
                Ok(entry.map(|entry| self.windows().object(entry.object)))
            }
        }
    }
}
