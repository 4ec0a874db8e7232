//! Calls of everything that a back end offers, a bounded number of times.

use winvmi::core::{Driver, Gfn, Pa, Va};

/// Runs of memory that are looked at.
const RUNS: usize = 100;

/// Asserts what every back end keeps, whatever file is behind it.
pub fn exercise(driver: &dyn Driver) {
    driver.hints();
    driver.capabilities();
    registers(driver);
    physical(driver);
    by_address(driver);
}

fn registers(driver: &dyn Driver) {
    if let Some(registers) = driver.registers() {
        for vcpu in (0..driver.info().vcpus.min(4)).chain([u16::MAX]) {
            let _ = registers.get(vcpu);
        }
    }
}

fn physical(driver: &dyn Driver) {
    let Some(physical) = driver.physical() else {
        return;
    };
    let mut from = Gfn(0);
    for _ in 0..RUNS {
        let Some(run) = physical.next_run(from) else {
            break;
        };
        assert!(run.length > 0 && run.start >= from.pa().0);
        let mut bytes = [0; 64];
        physical.read(Pa(run.start), &mut bytes).unwrap();
        physical.pin(Pa(run.start).gfn());
        let Some(end) = Pa(run.start).checked_add(run.length) else {
            break;
        };
        from = end.gfn();
    }
}

fn by_address(driver: &dyn Driver) {
    let Some(memory) = driver.by_address() else {
        return;
    };
    let mut from = Va(0);
    for _ in 0..RUNS {
        let Some(run) = memory.next_run(from) else {
            break;
        };
        assert!(run.length > 0 && run.start >= from.0);
        assert_eq!(memory.read(Va(run.start), &mut [0]), 1);
        from = Va(run.start).wrapping_add(run.length);
    }
}
