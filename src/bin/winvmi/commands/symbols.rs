//! `winvmi symbols`

use winvmi::{Error, Result, os::windows::Windows};

use crate::{
    output::{Report, Row},
    target::{Guest, number},
};

const COLUMNS: &[&str] = &["address", "symbol", "offset"];

pub fn run(guest: &Guest, names: &[String]) -> Result<Report> {
    let windows = guest.windows()?;
    let mut report = guest.list(COLUMNS);
    for name in names {
        let row = match number(name) {
            Some(address) => nearest(windows, address),
            None => guest.symbol(name).map(|va| row(va.0, name.clone(), 0)),
        };
        match row {
            Ok(row) => report.push(row),
            Err(gap) if names.len() > 1 => report.gap(gap),
            Err(error) => return Err(error),
        }
    }
    if names.is_empty() {
        all(windows, &mut report);
    }
    Ok(report)
}

fn nearest(windows: &Windows, address: u64) -> Result<Row> {
    let rva = address.checked_sub(windows.kernel_base().0);
    let found = rva.and_then(|rva| windows.profile().nearest(rva));
    let (name, offset) =
        found.ok_or_else(|| Error::not_found(format!("a symbol at or before {address:#x}")))?;
    Ok(row(address, format!("nt!{name}"), offset))
}

fn all(windows: &Windows, report: &mut Report) {
    let mut symbols: Vec<_> = windows.profile().symbols().collect();
    symbols.sort_by_key(|&(name, rva)| (rva, name));
    for (name, rva) in symbols {
        let address = windows.kernel_base().wrapping_add(rva);
        report.push(row(address.0, format!("nt!{name}"), 0));
    }
}

fn row(address: u64, symbol: String, offset: u64) -> Row {
    Row::default()
        .with("address", winvmi::core::Va(address))
        .with("symbol", symbol)
        .with("offset", offset)
}
