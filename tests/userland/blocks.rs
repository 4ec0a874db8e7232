//! PEBs, process parameters, environments, TEBs, trap frames.

use winvmi::{
    core::Va,
    os::windows::{ParameterText, Peb, ProcessParameters, Teb, Windows},
};
use winvmi_forge::{ExpectedParameters, ExpectedTeb, ExpectedThread, Width};

use crate::{architecture, on_all_layouts};

fn peb<'a>(windows: &'a Windows, expected: &ExpectedParameters) -> Peb<'a> {
    let process = windows.process(Va(expected.process));
    let block = match (expected.width, process.is_wow64().unwrap()) {
        (Width::Amd64, true) => process.native_environment_block(),
        _ => process.environment_block(),
    };
    block.unwrap().unwrap()
}

fn assert_parameters(parameters: &ProcessParameters<'_>, expected: &ExpectedParameters) {
    assert_eq!(parameters.address(), Va(expected.address));
    let texts = [
        (ParameterText::ImagePath, &expected.image_path),
        (ParameterText::CommandLine, &expected.command_line),
        (ParameterText::CurrentDirectory, &expected.current_directory),
        (ParameterText::DllPath, &expected.dll_path),
        (ParameterText::WindowTitle, &expected.window_title),
        (ParameterText::Desktop, &expected.desktop),
    ];
    for (text, expected) in texts {
        assert_eq!(&parameters.text(text).unwrap(), expected, "{text:?}");
    }
    let variables: Vec<_> = parameters
        .environment()
        .unwrap()
        .map(Result::unwrap)
        .map(|variable| (variable.name(), variable.value()))
        .collect();
    assert_eq!(variables, expected.environment);
}

#[test]
fn environment_blocks_of_both_widths_are_what_was_placed() {
    on_all_layouts(|windows, expected| {
        let widths: Vec<_> = expected.parameters.iter().map(|it| it.width).collect();
        assert!(widths.contains(&Width::X86));
        for parameters in &expected.parameters {
            let process = expected.processes.iter();
            let mut process = process.filter(|it| it.object == parameters.process);
            let process = process.next().unwrap();
            let peb = peb(windows, parameters);
            let address = match parameters.width {
                Width::X86 => process.peb,
                Width::Amd64 => process.native_peb,
            };
            assert_eq!(peb.address(), Va(address));
            assert_eq!(peb.architecture(), architecture(parameters.width));
            assert_eq!(peb.image_base().unwrap(), Va(process.image_base));
            assert_eq!(peb.session_id().ok(), Some(process.session_id.unwrap_or(0)));
            assert!(!peb.is_being_debugged().unwrap());
            assert_parameters(&peb.parameters().unwrap().unwrap(), parameters);
        }
    });
}

#[test]
fn system_processes_have_no_environment_block() {
    on_all_layouts(|windows, _| {
        let system = windows.system_process().unwrap();
        assert!(system.environment_block().unwrap().is_none());
        assert!(system.native_environment_block().unwrap().is_none());
        let modules: Vec<_> = system.user_modules().collect();
        assert!(modules.is_empty());
    });
}

fn assert_teb(teb: &Teb<'_>, expected: &ExpectedTeb, thread: &ExpectedThread) {
    assert_eq!(teb.address(), Va(expected.address));
    assert_eq!(teb.self_pointer().unwrap(), Va(expected.address));
    assert_eq!(teb.architecture(), architecture(expected.width));
    assert_eq!(teb.peb().unwrap(), Va(expected.peb));
    assert_eq!(teb.process_id().unwrap(), thread.pid);
    assert_eq!(teb.thread_id().unwrap(), thread.tid);
    assert_eq!(teb.last_error().unwrap(), expected.last_error);
    assert_eq!(teb.last_status().unwrap() as u32, expected.last_status);
    assert_eq!(teb.stack_base().unwrap(), Va(expected.stack_base));
    assert_eq!(teb.stack_limit().unwrap(), Va(expected.stack_limit));
    let mut slots = vec![0; 64];
    for &(index, value) in &expected.tls_slots {
        slots[index] = value;
    }
    assert_eq!(teb.tls_slots().unwrap(), slots);
    assert_eq!(teb.tls_expansion_slots().unwrap(), None);
}

#[test]
fn thread_blocks_of_both_widths_are_what_was_placed() {
    on_all_layouts(|windows, expected| {
        for placed in &expected.threads {
            let thread = windows.thread(Va(placed.object));
            let native = thread.native_environment_block().unwrap();
            let own = thread.environment_block().unwrap();
            assert_eq!(native.is_some(), !placed.tebs.is_empty());
            if let (Some(native), Some(own)) = (native, own) {
                assert_teb(&native, placed.tebs.first().unwrap(), placed);
                assert_teb(&own, placed.tebs.last().unwrap(), placed);
            }
        }
    });
}
