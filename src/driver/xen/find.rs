//! Finding the domain that a target names.

use super::{
    domain::{Domain, DomainInfo},
    handle::{Interface, Store, host_present},
};
use crate::error::{Error, Result};

/// First domain number that is no guest's (`DOMID_FIRST_RESERVED`).
const FIRST_RESERVED: u32 = 0x7ff0;

/// Finds the first running guest among candidates: `"win10"`, `"7"`,
/// `"win7,win10,win11"`.
///
/// A candidate of digits is a domain number first, else a name.
pub(super) fn find(target: &str) -> Result<(Domain, DomainInfo)> {
    if !host_present() {
        return Err(Error::not_supported(
            "xen: targets: this machine does not run Xen (no /dev/xen/privcmd)",
        ));
    }
    let interface = Interface::open()?;
    let id = candidates(target)
        .find_map(|candidate| resolve(candidate).transpose())
        .unwrap_or_else(|| Err(Error::not_found(format!("Xen domain {target}"))))?;
    let domain = Domain::new(interface, id);
    let info = domain.info()?;
    Ok((domain, info))
}

fn candidates(target: &str) -> impl Iterator<Item = &str> {
    let parts = target.split(',').map(str::trim);
    parts.filter(|candidate| !candidate.is_empty())
}

/// Number of the domain that `candidate` names; none when there is none.
fn resolve(candidate: &str) -> Result<Option<u32>> {
    let number = candidate.parse().ok();
    let number = number.filter(|id| (1..FIRST_RESERVED).contains(id));
    if let Some(id) = number
        && Domain::new(Interface::open()?, id).info().is_ok()
    {
        return Ok(Some(id));
    }
    by_name(&Store::open()?, candidate)
}

/// A domain that vanishes during the look-up has no name any more and is passed over.
fn by_name(store: &Store, name: &str) -> Result<Option<u32>> {
    for entry in store.list("/local/domain")? {
        let found = store.read(&format!("/local/domain/{entry}/name"))?;
        if found.as_deref() == Some(name) {
            return Ok(entry.parse().ok());
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_are_separated_by_commas() {
        let found: Vec<_> = candidates("win7, win10,,7").collect();
        assert_eq!(found, ["win7", "win10", "7"]);
    }
}
