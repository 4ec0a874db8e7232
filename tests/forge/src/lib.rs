//! Builds Windows guest memory from real kernel layouts.
