//! Calls of functions and what they return.

use std::sync::Arc;

use winvmi::{
    core::Va,
    monitor::{Action, CallEnd, CallHandler, CallTracker, EndedCall, Handler, Occurrence},
    os::windows::Frame,
};

use super::lines::Lines;
use crate::output::Row;

/// Arguments that are printed.
const ARGUMENTS: usize = 4;
const NAMES: [&str; ARGUMENTS] = ["argument0", "argument1", "argument2", "argument3"];

struct Calls {
    lines: Arc<Lines>,
    symbol: String,
}

/// Prints the calls of `symbol`.
pub fn handler(lines: &Arc<Lines>, symbol: &str) -> Handler {
    Handler::Calls(CallTracker::new(Box::new(Calls {
        lines: Arc::clone(lines),
        symbol: symbol.to_owned(),
    })))
}

impl Calls {
    fn row(&self, event: &'static str) -> Row {
        Row::default()
            .with("event", event)
            .with("symbol", self.symbol.as_str())
    }
}

impl CallHandler for Calls {
    fn entered(&self, event: &mut Occurrence<'_>, _value: &mut usize) -> Action {
        let frame = Frame::new(self.lines.session.memory(), event.registers());
        let mut row = self.row("call");
        let mut texts = Vec::with_capacity(ARGUMENTS);
        for (index, name) in (0..).zip(NAMES) {
            let argument = frame.argument(index).map(Va);
            texts.push(match &argument {
                Ok(value) => format!("{:#x}", value.0),
                Err(_) => "?".to_owned(),
            });
            row = row.with(name, argument);
        }
        let row = row.with("return_address", frame.return_address());
        let text = format!("> {}({})", self.symbol, texts.join(", "));
        self.lines.print(event, &text, row)
    }

    fn ended(&self, event: Option<&mut Occurrence<'_>>, call: &EndedCall) -> Action {
        // Calls that are open when the trace ends are nobody's event.
        let Some(event) = event else {
            return Action::Continue;
        };
        let (end, result) = match call.end {
            CallEnd::Returned => ("returned", Some(event.registers().rax)),
            CallEnd::Unwound => ("unwound", None),
            CallEnd::ThreadExited => ("thread exited", None),
            CallEnd::Detached => ("let go", None),
        };
        let text = match result {
            Some(value) => format!("< {} = {value:#x}", self.symbol),
            None => format!("< {} {end}", self.symbol),
        };
        let row = self.row("return").with("end", end);
        self.lines
            .print(event, &text, row.with("result", result.map(Va)))
    }
}
