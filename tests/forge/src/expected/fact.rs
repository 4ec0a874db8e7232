//! What the bodies of objects say.

use serde::{Deserialize, Serialize};

/// A number in the body of an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedFact {
    /// Address of the body.
    pub object: u64,
    /// What it tells, such as `limit`.
    pub name: String,
    /// The number.
    pub value: u64,
}

/// A text that the body of an object leads to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedText {
    /// Address of the body.
    pub object: u64,
    /// What it tells, such as `link_target`.
    pub name: String,
    /// The text.
    pub text: String,
}
