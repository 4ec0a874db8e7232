//! Sessions.

use crate::guest::Guest;

impl Guest {
    /// The session structure of a number, made when there is none yet.
    pub fn session(&mut self, id: u32) -> u64 {
        if let Some(session) = self.sessions.get(&id) {
            return *session;
        }
        let session = self.allocate_pages(self.profile.size_of("_MM_SESSION_SPACE"));
        let mut record = self.record("_MM_SESSION_SPACE");
        record
            .set("SessionId", id.into())
            .set_empty_list("ProcessList", session);
        self.write_record(session, &record);
        self.sessions.insert(id, session);
        session
    }
}
