//! Telling a kernel's symbols by where its variables are, for images without a
//! CodeView record.

use super::KernelImage;
use crate::{core::driver::Hints, symbols::Profile};

/// Fewer agreeing addresses prove nothing.
const WITNESSES_MIN: usize = 2;

impl KernelImage {
    /// Does every kernel address in a dump's headers lie where `profile` places it?
    ///
    /// A new build moves its variables, so that agreement identifies it nearly as
    /// well as the GUID does; but with a GUID at hand only the GUID counts.
    pub fn fits(&self, profile: &Profile, hints: &Hints) -> bool {
        let known = [
            (hints.process_list, "PsActiveProcessHead"),
            (hints.module_list, "PsLoadedModuleList"),
            (hints.debugger_data, "KdDebuggerDataBlock"),
        ];
        let witnesses = known
            .iter()
            .filter_map(|(address, symbol)| Some(((*address)?, *symbol)));
        let agrees = |symbol| {
            let rva = profile.symbol(symbol)?;
            (rva < self.size.into()).then(|| self.base.wrapping_add(rva))
        };
        witnesses.clone().count() >= WITNESSES_MIN
            && witnesses
                .into_iter()
                .all(|(address, symbol)| agrees(symbol) == Some(address))
    }
}
