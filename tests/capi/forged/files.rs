//! Small files of every format, for the programs to damage.

use std::{fmt::Write, fs, path::Path};

use crate::images::samples;

/// Writes the files into `directory` and tells of them.
pub fn write(directory: &Path, out: &mut String) {
    out.push_str("static const struct forged_file forged_files[] = {\n");
    for sample in samples() {
        let path = directory.join(sample.name).with_extension("img");
        fs::write(&path, &sample.bytes).unwrap();
        let path = path.to_str().unwrap();
        let (back_end, headers) = (sample.back_end, sample.headers);
        writeln!(out, "    {{\"{back_end}\", \"{path}\", {headers:#x}}},").unwrap();
    }
    out.push_str("};\n\n");
}
