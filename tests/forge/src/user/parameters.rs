//! What processes were started with.

use crate::expected::ExpectedParameters;
use crate::guest::{Guest, utf16};
use crate::user::wide::Width;

const PARAMETERS: &str = "_RTL_USER_PROCESS_PARAMETERS";
/// `RTL_USER_PROC_PARAMS_NORMALIZED` and a flag that means nothing here.
const FLAGS: u64 = 0x6001;

/// What a process is started with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParametersSpec {
    /// `ImagePathName`.
    pub image_path: String,
    /// `CommandLine`.
    pub command_line: String,
    /// `CurrentDirectory.DosPath`.
    pub current_directory: String,
    /// `DllPath`.
    pub dll_path: String,
    /// `WindowTitle`.
    pub window_title: String,
    /// `DesktopInfo`.
    pub desktop: String,
    /// Names and values of the environment.
    pub environment: Vec<(String, String)>,
}

impl ParametersSpec {
    /// Of a program in `System32`.
    pub fn of(name: &str, is_wow64: bool) -> Self {
        let folder = if is_wow64 { "SysWOW64" } else { "System32" };
        let image_path = format!("C:\\Windows\\{folder}\\{name}");
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        Self {
            command_line: format!("\"{image_path}\" -k ünïcode 漢字"),
            current_directory: "C:\\Users\\user\\".into(),
            dll_path: "C:\\Windows\\System32;;C:\\Windows".into(),
            window_title: image_path.clone(),
            desktop: "Winsta0\\Default".into(),
            environment: vec![
                pair("=C:", "C:\\Users\\user"),
                pair("COMPUTERNAME", "FORGED"),
                pair("EMPTY", ""),
                pair("OPTIONS", "a=b=c"),
                pair("Path", &"C:\\Windows\\system32;".repeat(40)),
                pair("PROCESS", name),
            ],
            image_path,
        }
    }
}

/// Places the parameters of a process for one width and lets its PEB point to them.
pub(crate) fn build(guest: &mut Guest, process: u64, width: Width, spec: &ParametersSpec) {
    let size = width.size_of(guest, PARAMETERS);
    let va = guest.allocate_user(process, size);
    let texts = [
        ("ImagePathName", &spec.image_path),
        ("CommandLine", &spec.command_line),
        ("CurrentDirectory.DosPath", &spec.current_directory),
        ("DllPath", &spec.dll_path),
        ("WindowTitle", &spec.window_title),
        ("DesktopInfo", &spec.desktop),
    ];
    for (path, text) in texts {
        let at = guest.user_field(width, va, PARAMETERS, path);
        guest.write_user_string(process, width, at, text);
    }
    let (environment, environment_size) = place_environment(guest, process, &spec.environment);
    let pointer = width.pointer();
    let numbers = [
        ("MaximumLength", 4, size),
        ("Length", 4, size),
        ("Flags", 4, FLAGS),
        ("Environment", pointer, environment),
        ("EnvironmentSize", pointer, environment_size),
    ];
    for (path, size, value) in numbers {
        let at = guest.user_field(width, va, PARAMETERS, path);
        guest.write_user_uint(process, at, size, value);
    }
    guest.poke_peb(process, width, "ProcessParameters", va);
    guest.expected.parameters.push(ExpectedParameters {
        process,
        width,
        address: va,
        environment_address: environment,
        environment_size,
        image_path: spec.image_path.clone(),
        command_line: spec.command_line.clone(),
        current_directory: spec.current_directory.clone(),
        dll_path: spec.dll_path.clone(),
        window_title: spec.window_title.clone(),
        desktop: spec.desktop.clone(),
        environment: spec.environment.clone(),
    });
}

/// Address and size in bytes of an environment block with pages of its own.
fn place_environment(
    guest: &mut Guest,
    process: u64,
    variables: &[(String, String)],
) -> (u64, u64) {
    let text: String = variables
        .iter()
        .map(|(name, value)| format!("{name}={value}\0"))
        .collect();
    let bytes = utf16(&(text + "\0"));
    let va = guest.allocate_user_pages(process, bytes.len() as u64);
    guest.write_user(process, va, &bytes);
    (va, bytes.len() as u64)
}

impl Guest {
    /// Changes a pointer or a number of a process's PEB of one width.
    ///
    /// # Panics
    /// When the process has no such PEB.
    pub fn poke_peb(&mut self, process: u64, width: Width, path: &str, value: u64) {
        let (structure, peb) = self.peb_of(process, width);
        let field = self.profile.field(structure, path);
        self.write_user_uint(process, peb + field.offset, field.size, value);
    }

    /// The value of a pointer or a number of a process's PEB of one width.
    ///
    /// # Panics
    /// When the process has no such PEB.
    pub fn peek_peb(&self, process: u64, width: Width, path: &str) -> u64 {
        let (structure, peb) = self.peb_of(process, width);
        let field = self.profile.field(structure, path);
        self.read_user_uint(process, peb + field.offset, field.size)
    }

    fn peb_of(&self, process: u64, width: Width) -> (&'static str, u64) {
        let state = &self.processes[&process];
        match width {
            Width::X86 => ("_PEB32", state.peb - crate::memory::PAGE_SIZE),
            Width::Amd64 => ("_PEB", state.peb),
        }
    }
}
