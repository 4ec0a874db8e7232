//! The environment block: NUL-terminated `name=value` strings, ended by an empty one.

use crate::{
    core::Va,
    error::{Error, Result},
    os::windows::Record,
};

const STRUCTURE: &str = "_RTL_USER_PROCESS_PARAMETERS.Environment";

/// Largest block that is read, in bytes.
const SIZE_MAX: u64 = 1 << 20;

/// Longest `name=value` in UTF-16 units: the limit of a `UNICODE_STRING`.
const VARIABLE_MAX: usize = 0x7fff;

/// An environment variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    units: Vec<u16>,
    /// Index of the equals sign, or the number of units when there is none.
    equals: usize,
}

impl Variable {
    /// Splits at the first equals sign that is not the first character: the
    /// current directories of drives are kept in variables like `=C:`.
    fn new(units: Vec<u16>) -> Self {
        let sign = |&(index, &unit): &(usize, &u16)| index > 0 && unit == u16::from(b'=');
        let equals = units.iter().enumerate().find(sign);
        Self {
            equals: equals.map_or(units.len(), |(index, _)| index),
            units,
        }
    }

    /// UTF-16 units of `name=value`.
    pub fn units(&self) -> &[u16] {
        &self.units
    }

    /// UTF-16 units of the name.
    pub fn name_utf16(&self) -> &[u16] {
        self.units.get(..self.equals).unwrap_or_default()
    }

    /// UTF-16 units of the value.
    pub fn value_utf16(&self) -> &[u16] {
        let start = self.equals.saturating_add(1);
        self.units.get(start..).unwrap_or_default()
    }

    /// The name; unpaired surrogates become U+FFFD.
    pub fn name(&self) -> String {
        String::from_utf16_lossy(self.name_utf16())
    }

    /// The value; unpaired surrogates become U+FFFD.
    pub fn value(&self) -> String {
        String::from_utf16_lossy(self.value_utf16())
    }
}

/// The variables of an environment block in their order; an `Err` is a gap.
///
/// Behind a missing page the list goes on with the next whole string.
pub struct Environment<'a> {
    record: Record<'a>,
    next: Va,
    /// First address that is not read any more.
    end: Va,
    /// The string at `next` began on a missing page: it is passed over.
    inside: bool,
}

impl<'a> Environment<'a> {
    /// The block at `start`; a `size` of 0 is one that is not known.
    pub(super) fn new(record: Record<'a>, start: Option<Va>, size: u64) -> Self {
        let size = match size {
            0 => SIZE_MAX,
            size => size.min(SIZE_MAX),
        };
        let start = start.unwrap_or_default();
        Self {
            record,
            next: start,
            end: match start.is_null() {
                true => start,
                false => Va(start.0.saturating_add(size)),
            },
            inside: false,
        }
    }

    /// Units that are left of the block.
    fn left(&self) -> usize {
        let bytes = self.end.0.saturating_sub(self.next.0);
        usize::try_from(bytes / 2).unwrap_or(usize::MAX)
    }

    fn string(&mut self) -> Result<Vec<u16>> {
        let limit = self.left().min(VARIABLE_MAX.saturating_add(1));
        let memory = self.record.memory();
        let read = memory.read_utf16_z(self.record.space(), self.next.0, limit);
        match read {
            Ok(units) if units.len() < limit => {
                let bytes = (units.len() as u64).saturating_add(1).saturating_mul(2);
                self.next = self.next.wrapping_add(bytes);
                Ok(units)
            }
            Ok(_) => {
                let error = Error::corrupt(STRUCTURE, self.next, "a variable has no end");
                self.next = self.end;
                Err(error)
            }
            Err(error) => {
                self.skip_page(&error);
                Err(error)
            }
        }
    }

    /// Goes on behind the page that is missing.
    fn skip_page(&mut self, error: &Error) {
        let missing = error.fault().map_or(self.end, |fault| Va(fault.address));
        let behind = missing.page().checked_add(crate::core::PAGE_SIZE);
        self.next = behind.unwrap_or(self.end).max(self.next).min(self.end);
        self.inside = true;
    }
}

impl Iterator for Environment<'_> {
    type Item = Result<Variable>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.left() > 0 {
            let was_inside = std::mem::take(&mut self.inside);
            match self.string() {
                Ok(_) if was_inside => {}
                Ok(units) if units.is_empty() => self.next = self.end,
                Ok(units) => return Some(Ok(Variable::new(units))),
                Err(gap) => return Some(Err(gap)),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_split_at_the_first_sign_behind_the_start() {
        let split = |text: &str| {
            let variable = Variable::new(text.encode_utf16().collect());
            (variable.name(), variable.value())
        };
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(split("OS=Windows_NT"), pair("OS", "Windows_NT"));
        assert_eq!(split("=C:=C:\\Temp"), pair("=C:", "C:\\Temp"));
        assert_eq!(split("a=b=c"), pair("a", "b=c"));
        assert_eq!(split("none"), pair("none", ""));
        assert_eq!(split("="), pair("=", ""));
        assert_eq!(split("empty="), pair("empty", ""));
    }
}
