//! The opened guest, and what the command line says about places in it.

use std::sync::Arc;

use winvmi::{
    Error, Result,
    core::{Space, Va},
    os::windows::{Process, Windows},
    session::{Config, Session},
};

use crate::{
    args::{Place, ProcessFilter, Target},
    output::{Report, Row},
    progress::Bar,
};

/// A session and how its answers are printed.
pub struct Guest {
    pub session: Arc<Session>,
    pub json: bool,
}

impl Guest {
    pub fn open(target: &Target) -> Result<Self> {
        let config = Config {
            name: target.target.clone(),
            symbol_paths: target.symbols.clone(),
            progress: Some(Arc::new(Bar::new())),
            ..Config::default()
        };
        Ok(Self {
            session: Arc::new(Session::open(&target.target, &config)?),
            json: target.json,
        })
    }

    pub fn windows(&self) -> Result<&Windows> {
        self.session.windows()
    }

    /// An empty table.
    pub const fn list(&self, columns: &'static [&'static str]) -> Report {
        Report::list(self.json, columns)
    }

    /// The processes that the filter lets through; gaps go into the report.
    pub fn processes(
        &self,
        filter: &ProcessFilter,
        report: &mut Report,
    ) -> Result<Vec<Process<'_>>> {
        let windows = self.windows()?;
        if let Some(pid) = filter.pid {
            return windows.process_by_id(pid).map(|process| vec![process]);
        }
        let mut found = Vec::new();
        for process in windows.processes() {
            match process {
                Ok(process) if matches(&process, filter) => found.push(process),
                Ok(_) => {}
                Err(gap) => report.gap(gap),
            }
        }
        match (&filter.name, found.is_empty()) {
            (Some(name), true) => Err(Error::not_found(format!("process {name}"))),
            _ => Ok(found),
        }
    }

    /// Space and address that a place names.
    pub fn place(&self, place: &Place) -> Result<(Space, u64)> {
        let space = match place.pid {
            _ if place.physical => Space::Physical,
            Some(pid) => self.windows()?.process_by_id(pid)?.space()?,
            None => self.session.kernel_space()?,
        };
        Ok((space, self.address(&place.address)?))
    }

    /// `0x...`, `nt!Name` or `nt!Name+offset`.
    pub fn address(&self, text: &str) -> Result<u64> {
        if let Some(number) = number(text) {
            return Ok(number);
        }
        let (name, offset) = match text.split_once('+') {
            Some((name, offset)) => (name, number(offset).ok_or_else(|| not_an_address(text))?),
            None => (text, 0),
        };
        self.symbol(name).map(|va| va.wrapping_add(offset).0)
    }

    /// Address of `nt!Name`.
    pub fn symbol(&self, text: &str) -> Result<Va> {
        let name = text
            .strip_prefix("nt!")
            .ok_or_else(|| not_an_address(text))?;
        self.windows()?.symbol(name)
    }
}

fn matches(process: &Process<'_>, filter: &ProcessFilter) -> bool {
    filter.name.as_ref().is_none_or(|name| {
        let own = process.name();
        own.is_ok_and(|own| own.eq_ignore_ascii_case(name))
    })
}

/// A number, decimal or after `0x` hexadecimal.
pub fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

fn not_an_address(text: &str) -> Error {
    Error::invalid_argument(
        "address",
        format!("`{text}` is neither 0x..., nor nt!Name, nor nt!Name+offset"),
    )
}

/// The values that tell which process a row is about.
pub fn process_row(process: &Process<'_>) -> Row {
    Row::default()
        .with("process", process.object())
        .with("pid", process.id())
}
