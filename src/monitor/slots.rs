//! Generation-checked ids: an id of something removed never names something else.

/// Names a registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HookId {
    index: u32,
    generation: u32,
}

impl HookId {
    /// The id as one number, never 0.
    pub const fn to_bits(self) -> u64 {
        (self.generation as u64) << 32 | self.index as u64
    }

    /// The id that [`HookId::to_bits`] gave; any other number names nothing.
    pub const fn from_bits(bits: u64) -> Self {
        Self {
            index: bits as u32,
            generation: (bits >> 32) as u32,
        }
    }
}

struct Slot<T> {
    generation: u32,
    value: Option<T>,
}

/// Values by id.
pub struct Slots<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
        }
    }
}

impl<T> Slots<T> {
    /// Adds what `make` makes of its id.
    pub fn insert(&mut self, make: impl FnOnce(HookId) -> T) -> HookId {
        let index = self.free.pop().unwrap_or_else(|| {
            let index = self.slots.len() as u32;
            self.slots.push(Slot {
                generation: 1,
                value: None,
            });
            index
        });
        let mut id = HookId {
            index,
            generation: 0,
        };
        if let Some(slot) = self.slots.get_mut(index as usize) {
            id.generation = slot.generation;
            slot.value = Some(make(id));
        }
        id
    }

    /// The value that `id` names.
    pub fn get(&self, id: HookId) -> Option<&T> {
        let slot = self.slots.get(id.index as usize)?;
        let value = slot.value.as_ref()?;
        (slot.generation == id.generation).then_some(value)
    }

    /// Takes the value that `id` names; the id names nothing from now on.
    pub fn remove(&mut self, id: HookId) -> Option<T> {
        self.get(id)?;
        let slot = self.slots.get_mut(id.index as usize)?;
        // Generation 0 is never used: an id of all zeros names nothing.
        slot.generation = slot.generation.checked_add(1).unwrap_or(1);
        self.free.push(id.index);
        slot.value.take()
    }

    /// All values.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().filter_map(|slot| slot.value.as_ref())
    }

    /// Takes all values.
    pub fn drain(&mut self) -> Vec<T> {
        let ids: Vec<_> = (0..)
            .zip(&self.slots)
            .map(|(index, slot)| HookId {
                index,
                generation: slot.generation,
            })
            .collect();
        ids.into_iter().filter_map(|id| self.remove(id)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_id_never_names_the_next_value() {
        let mut slots = Slots::default();
        let first = slots.insert(|_| 'a');
        assert_eq!(slots.remove(first), Some('a'));
        let second = slots.insert(|_| 'b');
        assert_eq!(slots.get(first), None);
        assert_eq!(slots.remove(first), None);
        assert_eq!(slots.get(HookId::from_bits(second.to_bits())), Some(&'b'));
        assert_eq!(slots.get(HookId::from_bits(0)), None);
        assert_eq!(slots.drain(), ['b']);
        assert_eq!(slots.get(second), None);
    }
}
