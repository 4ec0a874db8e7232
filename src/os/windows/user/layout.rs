//! Where the fields of user-mode structures are, in both widths.

use isr::macros::Field;

use crate::{os::windows::Architecture, symbols::Profile};

/// The same thing for 32-bit and for 64-bit code.
pub struct Widths<T> {
    x86: T,
    amd64: T,
}

impl<T> Widths<T> {
    fn new(make: impl Fn(Architecture) -> T) -> Self {
        Self {
            x86: make(Architecture::X86),
            amd64: make(Architecture::Amd64),
        }
    }

    /// The one for code of this architecture.
    pub const fn of(&self, architecture: Architecture) -> &T {
        match architecture {
            Architecture::X86 => &self.x86,
            Architecture::Amd64 => &self.amd64,
        }
    }
}

/// Declares the fields of a structure: the names of its types, and for each
/// field its path, then offset and size in 32-bit and in 64-bit code.
macro_rules! layout {
    (
        $(#[$doc:meta])*
        $name:ident, $x86:literal, $amd64:literal {
            $($field:ident: $path:literal, $place32:expr, $place64:expr;)*
        }
    ) => {
        $(#[$doc])*
        pub struct $name {
            $(pub $field: Field,)*
        }

        impl $name {
            fn new(profile: &Profile, architecture: Architecture) -> Self {
                let (structure, of) = match architecture {
                    Architecture::X86 => ($x86, (|places| places.0) as Choice),
                    Architecture::Amd64 => ($amd64, (|places| places.1) as Choice),
                };
                Self {
                    $($field: place(profile, structure, $path, of(($place32, $place64))),)*
                }
            }
        }

        #[cfg(test)]
        impl $name {
            /// Structure, path and documented places, to be held against real symbols.
            const DOCUMENTED: &'static [tests::Documented] = &[
                $(($x86, $path, $place32), ($amd64, $path, $place64),)*
            ];
        }
    };
}

/// Offset and size in bytes.
type Place = (u64, u64);
type Choice = fn((Place, Place)) -> Place;

/// Where the symbols put a field, else its documented place.
fn place(profile: &Profile, structure: &str, path: &str, documented: Place) -> Field {
    let (offset, size) = documented;
    let found = profile.field(structure, path);
    Field::new(found.map_or(offset, |found| found.offset), size)
}

layout! {
    /// Corresponds to `_PEB`.
    PebLayout, "_PEB32", "_PEB" {
        being_debugged: "BeingDebugged", (0x2, 1), (0x2, 1);
        image_base: "ImageBaseAddress", (0x8, 4), (0x10, 8);
        loader_data: "Ldr", (0xc, 4), (0x18, 8);
        parameters: "ProcessParameters", (0x10, 4), (0x20, 8);
        session_id: "SessionId", (0x1d4, 4), (0x2c0, 4);
    }
}

layout! {
    /// Corresponds to `_RTL_USER_PROCESS_PARAMETERS`.
    ParametersLayout, "_RTL_USER_PROCESS_PARAMETERS32", "_RTL_USER_PROCESS_PARAMETERS" {
        length: "Length", (0x4, 4), (0x4, 4);
        flags: "Flags", (0x8, 4), (0x8, 4);
        current_directory: "CurrentDirectory.DosPath", (0x24, 8), (0x38, 16);
        dll_path: "DllPath", (0x30, 8), (0x50, 16);
        image_path: "ImagePathName", (0x38, 8), (0x60, 16);
        command_line: "CommandLine", (0x40, 8), (0x70, 16);
        environment: "Environment", (0x48, 4), (0x80, 8);
        window_title: "WindowTitle", (0x70, 8), (0xb0, 16);
        desktop: "DesktopInfo", (0x78, 8), (0xc0, 16);
        environment_size: "EnvironmentSize", (0x290, 4), (0x3f0, 8);
    }
}

layout! {
    /// Corresponds to `_PEB_LDR_DATA`.
    LoaderLayout, "_PEB_LDR_DATA32", "_PEB_LDR_DATA" {
        load_order: "InLoadOrderModuleList", (0xc, 8), (0x10, 16);
        memory_order: "InMemoryOrderModuleList", (0x14, 8), (0x20, 16);
        initialization_order: "InInitializationOrderModuleList", (0x1c, 8), (0x30, 16);
    }
}

layout! {
    /// Corresponds to `_LDR_DATA_TABLE_ENTRY`.
    EntryLayout, "_LDR_DATA_TABLE_ENTRY32", "_LDR_DATA_TABLE_ENTRY" {
        load_links: "InLoadOrderLinks", (0x0, 8), (0x0, 16);
        memory_links: "InMemoryOrderLinks", (0x8, 8), (0x10, 16);
        initialization_links: "InInitializationOrderLinks", (0x10, 8), (0x20, 16);
        base: "DllBase", (0x18, 4), (0x30, 8);
        entry_point: "EntryPoint", (0x1c, 4), (0x38, 8);
        size: "SizeOfImage", (0x20, 4), (0x40, 4);
        path: "FullDllName", (0x24, 8), (0x48, 16);
        name: "BaseDllName", (0x2c, 8), (0x58, 16);
        flags: "Flags", (0x34, 4), (0x68, 4);
        time_date_stamp: "TimeDateStamp", (0x44, 4), (0x80, 4);
    }
}

layout! {
    /// Corresponds to `_TEB`.
    TebLayout, "_TEB32", "_TEB" {
        exception_list: "NtTib.ExceptionList", (0x0, 4), (0x0, 8);
        stack_base: "NtTib.StackBase", (0x4, 4), (0x8, 8);
        stack_limit: "NtTib.StackLimit", (0x8, 4), (0x10, 8);
        self_pointer: "NtTib.Self", (0x18, 4), (0x30, 8);
        process_id: "ClientId.UniqueProcess", (0x20, 4), (0x40, 8);
        thread_id: "ClientId.UniqueThread", (0x24, 4), (0x48, 8);
        peb: "ProcessEnvironmentBlock", (0x30, 4), (0x60, 8);
        last_error: "LastErrorValue", (0x34, 4), (0x68, 4);
        last_status: "LastStatusValue", (0xbf4, 4), (0x1250, 4);
        tls_slots: "TlsSlots", (0xe10, 4), (0x1480, 8);
        tls_expansion_slots: "TlsExpansionSlots", (0xf94, 4), (0x1780, 8);
    }
}

/// All of them.
pub struct UserLayouts {
    pub peb: Widths<PebLayout>,
    pub parameters: Widths<ParametersLayout>,
    pub loader: Widths<LoaderLayout>,
    pub entry: Widths<EntryLayout>,
    pub teb: Widths<TebLayout>,
}

impl UserLayouts {
    /// The places that `profile` names, and the documented ones of the rest.
    pub fn new(profile: &Profile) -> Self {
        Self {
            peb: Widths::new(|it| PebLayout::new(profile, it)),
            parameters: Widths::new(|it| ParametersLayout::new(profile, it)),
            loader: Widths::new(|it| LoaderLayout::new(profile, it)),
            entry: Widths::new(|it| EntryLayout::new(profile, it)),
            teb: Widths::new(|it| TebLayout::new(profile, it)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::symbols::read_isf;

    /// Structure, path, offset and size.
    pub type Documented = (&'static str, &'static str, Place);

    #[test]
    fn documented_places_are_those_of_all_real_symbols() {
        let tables = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/profiles/windows/ntkrnlmp.pdb")
            .read_dir()
            .unwrap();
        let documented = [
            PebLayout::DOCUMENTED,
            ParametersLayout::DOCUMENTED,
            LoaderLayout::DOCUMENTED,
            EntryLayout::DOCUMENTED,
            TebLayout::DOCUMENTED,
        ];
        for table in tables {
            let profile = read_isf(&table.unwrap().path()).unwrap();
            for (structure, path, (offset, size)) in documented.concat() {
                let Some(found) = profile.field(structure, path) else {
                    assert_eq!(profile.struct_size(structure), None, "{structure}.{path}");
                    continue;
                };
                assert_eq!(found.offset, offset, "{structure}.{path}");
                // Of arrays, the size of one element is documented.
                assert_eq!(found.size % size, 0, "{structure}.{path}");
            }
        }
    }
}
