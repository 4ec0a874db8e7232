//! `winvmi read`

use winvmi::{Error, Result};

use crate::{
    args::Place,
    output::{Report, Row},
    target::Guest,
};

/// More than a terminal wants to see, in bytes.
const MOST: u64 = 16 << 20;

/// Bytes of one line.
const LINE: usize = 16;

pub fn run(guest: &Guest, place: &Place, length: u64) -> Result<Report> {
    if length > MOST {
        let reason = format!("{length} bytes are more than the {MOST} that one call prints");
        return Err(Error::invalid_argument("length", reason));
    }
    let (space, address) = guest.place(place)?;
    let mut bytes = vec![0; length as usize];
    let mut report = guest.list(&[]);
    if let Err(partial) = guest.session.memory().read(space, address, &mut bytes) {
        bytes.truncate(partial.done);
        match partial.done {
            0 => return Err(partial.into()),
            _ => report.gap(partial.fault),
        }
    }
    let lines = bytes.chunks(LINE).zip((address..).step_by(LINE));
    let mut text = String::new();
    for (line, address) in lines {
        text.push_str(&format!("{address:016x}  {}  {}\n", hex(line), ascii(line)));
        let row = Row::default().with("address", winvmi::core::Va(address));
        report.push(row.with("bytes", hex(line).replace(' ', "")));
    }
    report.set_text(text);
    Ok(report)
}

fn hex(line: &[u8]) -> String {
    let bytes: Vec<_> = line.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{:<width$}", bytes.join(" "), width = LINE * 3 - 1)
}

fn ascii(line: &[u8]) -> String {
    let shown = |&byte: &u8| match byte {
        0x20..=0x7e => char::from(byte),
        _ => '.',
    };
    line.iter().map(shown).collect()
}
