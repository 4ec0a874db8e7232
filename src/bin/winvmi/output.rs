//! What a command found: rows that print as a table for people or as JSON.

use std::{
    fmt,
    io::{self, Write},
};

use serde::ser::{Serialize, SerializeMap, Serializer};

/// One value of a row.
#[derive(Clone)]
pub enum Value {
    /// Could not be read, or does not apply.
    None,
    /// Prints as `0x...` in both forms: JSON numbers lose bits above 2^53.
    Address(u64),
    Number(u64),
    Signed(i64),
    Flag(bool),
    Text(String),
    /// Prints as its number of rows in tables.
    Rows(Vec<Row>),
    /// Prints as `name=value` in tables, without what is not known.
    Row(Row),
}

impl Value {
    const fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("-"),
            Self::Address(value) => write!(f, "{value:#x}"),
            Self::Number(value) => value.fmt(f),
            Self::Signed(value) => value.fmt(f),
            Self::Flag(true) => f.write_str("yes"),
            Self::Flag(false) => f.write_str("no"),
            // Names are the guest's: control characters would reach the terminal.
            Self::Text(text) => text
                .chars()
                .map(|c| if c.is_control() { '\u{fffd}' } else { c })
                .try_for_each(|c| write!(f, "{c}")),
            Self::Rows(rows) => rows.len().fmt(f),
            Self::Row(row) => row.fmt(f),
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::None => serializer.serialize_unit(),
            Self::Address(value) => serializer.collect_str(&format_args!("{value:#x}")),
            Self::Number(value) => serializer.serialize_u64(*value),
            Self::Signed(value) => serializer.serialize_i64(*value),
            Self::Flag(value) => serializer.serialize_bool(*value),
            Self::Text(value) => serializer.serialize_str(value),
            Self::Rows(rows) => rows.serialize(serializer),
            Self::Row(row) => row.serialize(serializer),
        }
    }
}

/// Named values in the order of the C details structs.
#[derive(Clone, Default)]
pub struct Row(Vec<(&'static str, Value)>);

impl Row {
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.0.push((name, value.into()));
        self
    }

    /// The values of both rows.
    pub fn joined(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    pub fn get(&self, name: &str) -> Value {
        let found = self.0.iter().find(|(it, _)| *it == name);
        found.map_or(Value::None, |(_, value)| value.clone())
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self.0.iter().filter(|(_, value)| !value.is_none());
        for (index, (name, value)) in known.enumerate() {
            let space = if index == 0 { "" } else { " " };
            write!(f, "{space}{name}={value}")?;
        }
        Ok(())
    }
}

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// How the rows are printed.
enum Shape {
    /// An array of rows; a table with these columns.
    List(&'static [&'static str]),
    /// A single object; a line for each value.
    Object,
    /// Text for people that is more than a table; JSON as a list.
    Text(String),
    /// Everything was printed when it was found.
    Printed,
}

/// What a command found.
pub struct Report {
    json: bool,
    shape: Shape,
    rows: Vec<Row>,
    gaps: Vec<String>,
}

impl Report {
    /// Rows that print as a table of `columns`, and as JSON with all values.
    pub const fn list(json: bool, columns: &'static [&'static str]) -> Self {
        Self::new(json, Shape::List(columns))
    }

    /// One row.
    pub const fn object(json: bool) -> Self {
        Self::new(json, Shape::Object)
    }

    /// What was printed line by line.
    pub const fn printed() -> Self {
        Self::new(false, Shape::Printed)
    }

    const fn new(json: bool, shape: Shape) -> Self {
        Self {
            json,
            shape,
            rows: Vec::new(),
            gaps: Vec::new(),
        }
    }

    /// Replaces the table for people.
    pub fn set_text(&mut self, text: String) {
        self.shape = Shape::Text(text);
    }

    pub fn push(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Notes that a part of the answer is missing.
    pub fn gap(&mut self, gap: impl fmt::Display) {
        self.gaps.push(gap.to_string());
    }

    pub fn gaps(&self) -> &[String] {
        &self.gaps
    }

    pub fn print(&self) -> io::Result<()> {
        let mut out = io::BufWriter::new(io::stdout().lock());
        match (self.json, &self.shape) {
            (_, Shape::Printed) => return Ok(()),
            (true, Shape::Object) => serde_json::to_writer_pretty(&mut out, &self.rows.first())?,
            (true, _) => serde_json::to_writer_pretty(&mut out, &self.rows)?,
            (false, Shape::List(columns)) => return self.print_table(&mut out, columns),
            (false, Shape::Object) => return self.print_object(&mut out),
            (false, Shape::Text(text)) => return write!(out, "{text}"),
        }
        writeln!(out)?;
        out.flush()
    }

    fn print_object(&self, out: &mut impl Write) -> io::Result<()> {
        for (name, value) in self.rows.iter().flat_map(|row| &row.0) {
            writeln!(out, "{name:<20} {value}")?;
        }
        out.flush()
    }

    fn print_table(&self, out: &mut impl Write, columns: &[&str]) -> io::Result<()> {
        let cells: Vec<Vec<String>> = self
            .rows
            .iter()
            .map(|row| {
                columns
                    .iter()
                    .map(|name| row.get(name).to_string())
                    .collect()
            })
            .collect();
        let widths: Vec<usize> = columns
            .iter()
            .enumerate()
            .map(|(index, name)| width(&cells, index).max(name.len()))
            .collect();
        let heads: Vec<String> = columns.iter().map(|name| name.to_uppercase()).collect();
        for line in std::iter::once(&heads).chain(&cells) {
            let padded = line.iter().zip(&widths);
            let text: Vec<String> = padded
                .map(|(cell, width)| format!("{cell:<width$}"))
                .collect();
            writeln!(out, "{}", text.join("  ").trim_end())?;
        }
        out.flush()
    }
}

fn width(cells: &[Vec<String>], column: usize) -> usize {
    let lengths = cells.iter().filter_map(|row| row.get(column));
    lengths.map(|cell| cell.chars().count()).max().unwrap_or(0)
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::None, Into::into)
    }
}

/// What cannot be read is left out, the rest of the row is printed.
impl<T: Into<Value>> From<winvmi::Result<T>> for Value {
    fn from(value: winvmi::Result<T>) -> Self {
        value.ok().into()
    }
}

macro_rules! value_from {
    ($($type:ty => $variant:ident($convert:expr)),* $(,)?) => {
        $(impl From<$type> for Value {
            fn from(value: $type) -> Self {
                Self::$variant($convert(value))
            }
        })*
    };
}

value_from! {
    u8 => Number(u64::from),
    u16 => Number(u64::from),
    u32 => Number(u64::from),
    u64 => Number(|value| value),
    i32 => Signed(i64::from),
    i64 => Signed(|value| value),
    bool => Flag(|value| value),
    String => Text(|value| value),
    &str => Text(String::from),
    winvmi::core::Va => Address(|value: winvmi::core::Va| value.0),
    winvmi::core::Pa => Address(|value: winvmi::core::Pa| value.0),
    winvmi::os::windows::FileTime => Number(|value: winvmi::os::windows::FileTime| value.0),
}
