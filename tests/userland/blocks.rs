//! PEBs, process parameters, environments, TEBs, trap frames.

use winvmi::{
    core::Va,
    os::windows::{
        Architecture, ExceptionRecord, ParameterText, Peb, ProcessParameters, Teb, Windows,
    },
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

#[test]
fn trap_frames_hold_what_was_placed() {
    on_all_layouts(|windows, expected| {
        let mut count = 0;
        for placed in &expected.threads {
            let frame = windows.thread(Va(placed.object)).last_trap().unwrap();
            let Some(frame) = frame else {
                assert!(placed.trap_registers.is_empty());
                continue;
            };
            count += 1;
            let value = |name: &str| {
                let mut registers = placed.trap_registers.iter();
                registers.find(|(it, _)| it == name).unwrap().1
            };
            let registers = frame.registers().unwrap();
            assert_eq!(registers.rip, value("Rip"));
            assert_eq!(registers.rsp, value("Rsp"));
            assert_eq!(registers.rax, value("Rax"));
            assert_eq!(registers.r11, value("R11"));
            assert_eq!(registers.rbp, value("Rbp"));
            assert_eq!(registers.rflags, value("EFlags"));
            assert_eq!(registers.gs.base, value("GsBase"));
            assert_eq!(u64::from(registers.cs.selector), value("SegCs"));
            assert_eq!(u64::from(registers.fs.selector), value("SegFs"));
            assert_eq!(registers.dr7, value("Dr7"));
            assert_eq!(frame.rip().unwrap(), Va(value("Rip")));
            assert!(frame.is_from_user_mode().unwrap());
            assert_eq!(frame.error_code().unwrap(), value("ErrorCode"));
            assert_eq!(frame.fault_address().unwrap(), Va(value("FaultAddress")));
            assert_eq!(u64::from(frame.mx_csr().unwrap()), value("MxCsr"));
            let xmm3 = u128::from(value("Xmm3.High")) << 64 | u128::from(value("Xmm3.Low"));
            assert_eq!(frame.xmm().unwrap()[3], xmm3);
            let mode = frame.previous_mode().unwrap();
            assert_eq!(u64::from(mode), value("PreviousMode"));
        }
        assert!(count > 5);
    });
}

#[test]
fn exception_records_of_both_widths_are_read() {
    let mut guest = crate::support::guest(winvmi_forge::Layout::Win10_1809);
    let narrow = guest.allocate(0x50);
    let words = [0xc000_0005_u32, 1, 0, 0x77c0_1234, 2, 1, 0xdead_0000];
    guest.write(narrow, &words.map(u32::to_le_bytes).concat());
    let wide = guest.allocate(0x98);
    let words = [0x1_c000_0005_u64, 0x1000, 0x7ff6_1234_5678, 0xffff, 8, 0x10];
    guest.write(wide, &words.map(u64::to_le_bytes).concat());
    let windows = crate::support::windows(guest);
    let read = |address, architecture| {
        ExceptionRecord::read(windows.memory(), windows.space(), Va(address), architecture).unwrap()
    };
    let pointer = |architecture: Architecture| {
        let at = Va(wide + 0x10);
        architecture.read_pointer(windows.memory(), windows.space(), at)
    };
    let pointers = [Architecture::X86, Architecture::Amd64].map(|it| pointer(it).unwrap());
    assert_eq!(pointers, [Va(0x1234_5678), Va(0x7ff6_1234_5678)]);
    let record = read(narrow, Architecture::X86);
    assert_eq!((record.code, record.flags), (0xc000_0005, 1));
    assert_eq!((record.next, record.address), (Va(0), Va(0x77c0_1234)));
    assert_eq!(record.information, [1, 0xdead_0000]);
    let record = read(wide, Architecture::Amd64);
    assert_eq!((record.code, record.flags), (0xc000_0005, 1));
    assert_eq!(
        (record.next, record.address),
        (Va(0x1000), Va(0x7ff6_1234_5678))
    );
    // As many words as a record can hold, whatever it says.
    assert_eq!(record.information.len(), 15);
    assert_eq!(record.information[..2], [8, 0x10]);
}
