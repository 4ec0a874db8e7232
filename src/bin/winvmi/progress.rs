//! A progress bar for calls that take long.

use indicatif::{ProgressBar, ProgressStyle};
use winvmi::core::Progress;

/// Shows a bar on a terminal's standard error; nothing elsewhere.
pub struct Bar(ProgressBar);

impl Bar {
    pub fn new() -> Self {
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {percent}%") {
            bar.set_style(style);
        }
        Self(bar)
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

impl Progress for Bar {
    fn report(&self, stage: &'static str, done: u64, total: u64) -> bool {
        self.0.set_message(stage);
        self.0.set_length(total);
        self.0.set_position(done);
        true
    }
}
