//! What the words must hold when all is quiet.

use crate::running::actors::{Actor, ActorCode};
use crate::running::user_space::{
    ACCESS, ENDS_THREAD, EXIT_PERIOD, HANDLE, HANDLE_COUNT, RECURSION, STATUS,
};
use crate::running::words::{ActorWord, Word};
use crate::running::{ActorKind, Running};

/// Steps of the pager in the order of its iterations.
const PAGER_STEPS: [Word; 7] = [
    Word::PageTableOuts,
    Word::DirectoryOuts,
    Word::PointersOuts,
    Word::TopOuts,
    Word::Splits,
    Word::ImageOuts,
    Word::Joins,
];

impl Running {
    /// Words of the guest after `iterations` of every kernel actor. [`Word::PageIns`] is the sum
    /// of all outs, less one if [`Word::PendingLevel`] is not 0.
    pub fn expected_words(&self, iterations: u64) -> Vec<(Word, u64)> {
        let (creates, exits) = (iterations.div_ceil(2), iterations / 2);
        let spare = |index: u64| self.spares[index as usize % self.spares.len()];
        let inserted = (0..creates).map(|index| spare(index).wrapping_add(self.parent));
        let steps = PAGER_STEPS.iter().zip(0..);
        let mut expected: Vec<_> = steps
            .map(|(word, step)| (*word, (iterations + 6 - step) / 7))
            .collect();
        expected.extend([
            (Word::ProcessCreates, creates),
            (Word::ProcessExits, exits),
            (Word::InsertArgumentSum, sum(inserted)),
            (Word::CleanArgumentSum, sum((0..exits).map(spare))),
            (Word::DriverLoads, creates),
            (Word::DriverUnloads, exits),
            (Word::LateUsers, 0),
            (Word::IntegrityRounds, iterations),
            (Word::IntegrityDifferences, 0),
            (Word::StrayBreakpoints, 0),
            (Word::PanicVector, 0),
        ]);
        expected
    }
}

impl Actor {
    /// Words of the actor after some iterations.
    pub fn expected_words(&self, iterations: u64) -> Vec<(ActorWord, u64)> {
        let mut expected = vec![(ActorWord::Iterations, iterations)];
        match &self.user {
            Some(code) => expected.extend(code.expected_words(iterations)),
            None if self.kind == ActorKind::Integrity => {
                expected.push((ActorWord::Breakpoints, iterations));
            }
            None if self.kind == ActorKind::Loader => {
                expected.push((ActorWord::LateCalls, iterations.div_ceil(2)));
            }
            None if self.kind == ActorKind::Privileged => {
                let each = [ActorWord::MsrWrites, ActorWord::CpuIds, ActorWord::Outs];
                expected.extend(each.map(|word| (word, iterations)));
            }
            None => {}
        }
        expected
    }
}

impl ActorCode {
    fn expected_words(&self, iterations: u64) -> [(ActorWord, u64); 10] {
        let creates = 2 * iterations;
        let exits = iterations / u64::from(EXIT_PERIOD);
        let depth = u64::from(RECURSION) + 1;
        let units = |path: &str| path.encode_utf16().map(u64::from).sum::<u64>();
        let paths = units(&self.absolute_path) + units(&self.relative_path);
        [
            (ActorWord::Creates, creates),
            (ActorWord::Writes, iterations),
            (ActorWord::DriverCalls, iterations),
            (ActorWord::ArgumentSum, self.argument_sum(iterations)),
            (ActorWord::PathSum, iterations * paths),
            (ActorWord::Opens, creates * depth),
            (ActorWord::OpenReturns, (creates - exits) * depth),
            (ActorWord::ThreadExits, exits),
            (ActorWord::Breakpoints, iterations),
            (ActorWord::Faults, 2 * iterations),
        ]
    }

    /// The sum of five arguments of all calls. `NtCreateFile` has no allocation size and
    /// `NtWriteFile` nothing but its handle and the status block.
    fn argument_sum(&self, iterations: u64) -> u64 {
        sum((1..=iterations).map(|number| {
            let ends = number.is_multiple_of(EXIT_PERIOD.into());
            let ending = if ends { ENDS_THREAD } else { 0 };
            let creates = 2 * (HANDLE + u64::from(ACCESS) + STATUS);
            let handle = self.handles[number as usize % HANDLE_COUNT];
            creates + sum(self.attributes) + u64::from(ending) + u64::from(handle) + STATUS
        }))
    }
}

fn sum(numbers: impl IntoIterator<Item = u64>) -> u64 {
    numbers.into_iter().fold(0, u64::wrapping_add)
}
