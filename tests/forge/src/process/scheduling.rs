//! Scheduling groups (from Windows 8.1): a control block for each processor.

use crate::guest::Guest;

/// Structure of a group; its control blocks follow from `PerProcessor` on.
const GROUP: &str = "_KSCHEDULING_GROUP";
/// Structure of a control block.
const BLOCK: &str = "_KSCB";
/// The flag of a control block that holds its threads back, by age.
const OVER_QUOTA: [&str; 2] = ["MaxOverQuota", "OverQuota"];

/// Offset of a processor's control block in every group (`_KPRCB.ScbOffset`), where the layout
/// has groups.
pub(crate) fn block_offset(guest: &Guest, processor: u32) -> Option<u64> {
    let first = guest.profile.find_field(GROUP, "PerProcessor")?.offset;
    Some(first + u64::from(processor) * guest.profile.size_of(BLOCK))
}

impl Guest {
    /// Makes a scheduling group whose threads are held back on some processors. Nothing where
    /// the layout has no groups; a parent is left out where groups have none.
    pub fn create_scheduling_group(
        &mut self,
        parent: Option<u64>,
        over_quota_on: &[u32],
    ) -> Option<u64> {
        let end = block_offset(self, self.options.processors)?;
        let group = self.allocate(end);
        for processor in 0..self.options.processors {
            let offset = block_offset(self, processor)?;
            let parent_block = parent.map_or(0, |parent| parent + offset);
            let mut block = self.record(BLOCK);
            block
                .set_if("Parent", parent_block)
                .set("Inserted", 1)
                .set_first(&OVER_QUOTA, over_quota_on.contains(&processor).into());
            self.write_record(group + offset, &block);
        }
        Some(group)
    }

    /// Processors on which a group, or one above it, is over its quota; 0 is no group.
    pub(crate) fn held_back_on(&self, group: u64) -> Vec<u32> {
        if group == 0 {
            return Vec::new();
        }
        let processors = 0..self.options.processors;
        processors
            .filter(|processor| self.is_over_quota(group, *processor))
            .collect()
    }

    fn is_over_quota(&self, group: u64, processor: u32) -> bool {
        let Some(offset) = block_offset(self, processor) else {
            return false;
        };
        let Some(flag) = self.profile.first_field(BLOCK, &OVER_QUOTA) else {
            return false;
        };
        let mut block = group + offset;
        while self.peek_field(block, BLOCK, flag) == 0 {
            if !self.profile.has_field(BLOCK, "Parent") {
                return false;
            }
            block = self.peek_field(block, BLOCK, "Parent");
            if block == 0 {
                return false;
            }
        }
        true
    }
}
