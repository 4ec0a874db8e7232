//! What runs on each processor, and how functions are called.

use winvmi::{
    core::{Registers, Segment, Va},
    os::windows::{Frame, current_pcr},
};

use super::each_layout;

#[test]
fn what_runs_on_each_processor() {
    each_layout(|windows, expected| {
        for processor in &expected.processors {
            let wanted = &processor.registers;
            let registers = Registers {
                cs: Segment {
                    selector: wanted.cs,
                    ..Segment::default()
                },
                gs: Segment {
                    base: wanted.gs_base,
                    ..Segment::default()
                },
                kernel_gs_base: wanted.kernel_gs_base,
                ..Registers::default()
            };
            assert_eq!(current_pcr(&registers), Va(processor.kpcr));
            let thread = windows.current_thread(&registers).unwrap();
            assert_eq!(thread.object().0, processor.current_thread);
            let mut threads = expected.threads.iter();
            let running = threads
                .find(|it| it.object == processor.current_thread)
                .unwrap();
            let process = windows.current_process(&registers).unwrap();
            assert_eq!(process.object().0, running.current_process);
        }
        assert!(windows.current_processor(&Registers::default()).is_err());
    });
}

#[test]
fn arguments_in_registers_and_on_the_stack() {
    each_layout(|windows, expected| {
        // The kernel's own image serves as a stack with known words.
        let stack = expected.kernel.base;
        let word = |index: u64, size: usize| {
            let mut bytes = [0; 8];
            let address = stack + index * size as u64;
            let read = windows
                .memory()
                .read(windows.space(), address, &mut bytes[..size]);
            read.unwrap();
            u64::from_le_bytes(bytes)
        };
        let mut registers = Registers {
            rcx: 1,
            rdx: 2,
            r8: 3,
            r9: 4,
            r10: 5,
            rsp: stack,
            cr3: windows.root().0,
            cs: Segment {
                selector: 0x10,
                ..Segment::default()
            },
            ..Registers::default()
        };
        let frame = Frame::new(windows.memory(), &registers);
        let arguments: Vec<_> = (0..4).map(|index| frame.argument(index).unwrap()).collect();
        assert_eq!(arguments, [1, 2, 3, 4]);
        assert_eq!(frame.syscall_argument(0).unwrap(), 5);
        assert_eq!(frame.syscall_argument(1).unwrap(), 2);
        assert_eq!(frame.argument(4).unwrap(), word(5, 8));
        assert_eq!(frame.return_address().unwrap(), Va(word(0, 8)));
        let skipped = frame.skip(7, 5).unwrap();
        assert_eq!((skipped.rax, skipped.rip), (7, word(0, 8)));
        assert_eq!(skipped.rsp, stack + 8);
        assert!(frame.argument(64).is_err());

        // 32-bit code: user mode, no L bit.
        registers.cs.selector = 0x23;
        let frame = Frame::new(windows.memory(), &registers);
        assert_eq!(frame.argument(0).unwrap(), word(1, 4));
        assert_eq!(frame.skip(7, 2).unwrap().rsp, stack + 12);
    });
}
