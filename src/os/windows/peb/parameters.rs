//! `_RTL_USER_PROCESS_PARAMETERS`: what a process was started with.

use isr::macros::Field;

use super::Environment;
use crate::{
    core::Va,
    error::Result,
    os::windows::{
        UnicodeString, Windows,
        user::{ParametersLayout, UserRecord},
    },
};

const STRUCTURE: &str = "_RTL_USER_PROCESS_PARAMETERS";

/// `RTL_USER_PROC_PARAMS_NORMALIZED`: buffers are addresses, not offsets.
const NORMALIZED: u32 = 1;

/// A text among the parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterText {
    /// Path of the executable. Corresponds to `ImagePathName`.
    ImagePath,
    /// Command line. Corresponds to `CommandLine`.
    CommandLine,
    /// Current directory, with a backslash at its end. Corresponds to
    /// `CurrentDirectory.DosPath`.
    CurrentDirectory,
    /// Directories that DLLs are looked for in. Corresponds to `DllPath`.
    DllPath,
    /// Title of the first window. Corresponds to `WindowTitle`.
    WindowTitle,
    /// Window station and desktop. Corresponds to `DesktopInfo`.
    Desktop,
}

/// What a process was started with; its own code may have changed it since.
#[derive(Clone, Copy)]
pub struct ProcessParameters<'a> {
    windows: &'a Windows,
    record: UserRecord<'a>,
}

impl<'a> ProcessParameters<'a> {
    pub(super) const fn new(windows: &'a Windows, record: UserRecord<'a>) -> Self {
        Self { windows, record }
    }

    fn layout(&self) -> &'a ParametersLayout {
        let parameters = &self.windows.layouts.user.parameters;
        parameters.of(self.record.architecture())
    }

    /// Address of the `_RTL_USER_PROCESS_PARAMETERS`.
    pub const fn address(&self) -> Va {
        self.record.base()
    }

    /// Flags (`RTL_USER_PROC_*`). Corresponds to `Flags`.
    pub fn flags(&self) -> Result<u32> {
        self.record.uint32(self.layout().flags)
    }

    /// One of the texts; unpaired surrogates become U+FFFD.
    pub fn text(&self, text: ParameterText) -> Result<String> {
        self.text_utf16(text)
            .map(|units| String::from_utf16_lossy(&units))
    }

    /// UTF-16 units of one of the texts.
    pub fn text_utf16(&self, text: ParameterText) -> Result<Vec<u16>> {
        let layout = self.layout();
        self.units(match text {
            ParameterText::ImagePath => layout.image_path,
            ParameterText::CommandLine => layout.command_line,
            ParameterText::CurrentDirectory => layout.current_directory,
            ParameterText::DllPath => layout.dll_path,
            ParameterText::WindowTitle => layout.window_title,
            ParameterText::Desktop => layout.desktop,
        })
    }

    fn units(&self, field: Field) -> Result<Vec<u16>> {
        let string = self.record.string(field)?;
        let buffer = self.address_of(string.buffer)?;
        let string = UnicodeString { buffer, ..string };
        self.record.units(STRUCTURE, string)
    }

    /// Where a buffer is. Before a new process runs, buffers inside of the
    /// parameters are offsets from their start.
    fn address_of(&self, buffer: u64) -> Result<u64> {
        let is_offset = self.flags()? & NORMALIZED == 0
            && buffer < self.record.uint(self.layout().length)?
            && buffer != 0;
        Ok(match is_offset {
            true => self.address().wrapping_add(buffer).0,
            false => buffer,
        })
    }

    /// The environment variables, none when there is no block.
    /// Corresponds to `Environment` and `EnvironmentSize`.
    pub fn environment(&self) -> Result<Environment<'a>> {
        let layout = self.layout();
        let start = self.record.target(STRUCTURE, layout.environment)?;
        let size = self.record.uint(layout.environment_size)?;
        Ok(Environment::new(*self.record.record(), start, size))
    }
}
