//! `_KSCHEDULING_GROUP`: groups of threads that share a processor quota
//! (Windows 8.1 and later).

use isr::macros::{Bitfield, Field};

use super::{Processor, Record, Thread, Windows};
use crate::{
    core::Va,
    error::{Error, Result},
};

isr::macros::offsets! {
    /// Where the quota of a group is kept.
    pub struct Layout {
        #[isr(optional)]
        struct _KSCB {
            Parent: Option<Field>,
            #[isr(alias = "MaxOverQuota")]
            OverQuota: Bitfield,
        }

        struct _KPRCB {
            ScbOffset: Option<Field>,
        }
    }
}

/// Windows nests groups a few levels deep.
const DEPTH_MAX: usize = 64;

impl Thread<'_> {
    /// Does the thread belong to a scheduling group, whose quota may hold it back?
    pub fn is_constrained_by_scheduling_group(&self) -> Result<bool> {
        Ok(self.scheduling_group()?.is_some())
    }

    /// Is the thread kept from running on `processor` because its scheduling
    /// group, or one above it, has used up its quota there?
    ///
    /// Corresponds to `_KSCB.OverQuota` (`MaxOverQuota`) of the control block at
    /// `_KPRCB.ScbOffset` of the group and, up the `Parent` pointers, of those above.
    pub fn is_held_back_by_scheduling_group(&self, processor: &Processor<'_>) -> Result<bool> {
        let windows = self.windows();
        let layout = &windows.layouts.scheduling;
        let (Some(group), Some(block)) = (self.scheduling_group()?, &layout._KSCB) else {
            return Ok(false);
        };
        let mut next = Some(group.wrapping_add(control_block_offset(windows, processor)?));
        for _ in 0..DEPTH_MAX {
            let Some(address) = next else {
                return Ok(false);
            };
            let record = windows.record(address);
            if record.bits(block.OverQuota)? != 0 {
                return Ok(true);
            }
            next = parent(&record, block)?;
        }
        Err(Error::corrupt(
            "_KSCHEDULING_GROUP",
            group,
            "its groups are nested without end",
        ))
    }
}

fn parent(block: &Record<'_>, layout: &_KSCB) -> Result<Option<Va>> {
    layout
        .Parent
        .map_or(Ok(None), |field| block.pointer_or_none(field))
}

/// Corresponds to `_KPRCB.ScbOffset`.
fn control_block_offset(windows: &Windows, processor: &Processor<'_>) -> Result<u64> {
    let field = windows.layouts.scheduling._KPRCB.ScbOffset;
    let field = field.ok_or_else(|| Error::layout("_KPRCB.ScbOffset"))?;
    windows.record(processor.prcb()).uint(field)
}
