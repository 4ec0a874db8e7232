//! `winvmi translate`

use winvmi::{
    Error, Result,
    core::{Protection, Source, Space, Va},
};

use crate::{
    args::Place,
    output::{Report, Row},
    target::Guest,
};

const COLUMNS: &[&str] = &["address", "physical", "page_size", "protection", "source"];

pub fn run(guest: &Guest, place: &Place) -> Result<Report> {
    let (space, address) = guest.place(place)?;
    let Space::Virtual { root } = space else {
        return Err(Error::invalid_argument(
            "--physical",
            "only virtual addresses translate",
        ));
    };
    let translation = guest.session.memory().translate(root, Va(address))?;
    let mut report = guest.list(COLUMNS);
    let row = Row::default()
        .with("address", Va(address))
        .with("root", root)
        .with("physical", translation.pa)
        .with("page_size", 1_u64 << translation.page_shift)
        .with("level", translation.level)
        .with("protection", letters(translation.protection))
        .with(
            "source",
            match translation.source {
                Source::Hardware => "hardware",
                Source::Transition => "transition",
            },
        );
    report.push(row);
    Ok(report)
}

fn letters(protection: Protection) -> String {
    let flags = [
        (Protection::READ, 'r'),
        (Protection::WRITE, 'w'),
        (Protection::EXECUTE, 'x'),
        (Protection::USER, 'u'),
    ];
    let letter = |(flag, letter)| {
        if protection.contains(flag) {
            letter
        } else {
            '-'
        }
    };
    flags.into_iter().map(letter).collect()
}
