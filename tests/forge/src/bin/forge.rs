//! Forges a Windows guest and writes it to a file.

fn main() {}
