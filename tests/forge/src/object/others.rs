//! Synchronisation objects and others without content.

use crate::guest::Guest;

/// Kinds of objects whose body the forge leaves zeroed, with the structure that gives the size.
const BODIES: [(&str, &str); 8] = [
    ("Event", "_KEVENT"),
    ("Mutant", "_KMUTANT"),
    ("Semaphore", "_KSEMAPHORE"),
    ("Timer", "_ETIMER"),
    ("Job", "_EJOB"),
    ("IoCompletion", "_KQUEUE"),
    ("ALPC Port", "_ALPC_PORT"),
    ("Token", "_TOKEN"),
];

/// Size of a body of which the tables have no structure.
const UNKNOWN_BODY: u64 = 0x60;

impl Guest {
    /// Size of the body of an object of a type.
    pub fn body_size(&self, type_name: &str) -> u64 {
        let structure = match type_name {
            "Section" if self.profile.has_type("_SECTION") => Some("_SECTION"),
            "Section" => Some("_SECTION_OBJECT"),
            _ => BODIES
                .iter()
                .find(|(name, _)| *name == type_name)
                .map(|(_, structure)| *structure),
        };
        structure
            .filter(|structure| self.profile.has_type(structure))
            .map_or(UNKNOWN_BODY, |structure| self.profile.size_of(structure))
    }
}
