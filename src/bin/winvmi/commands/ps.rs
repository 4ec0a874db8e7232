//! `winvmi ps`

use std::collections::HashSet;

use winvmi::{
    Result,
    os::windows::{FileTime, JobObject, Process, Windows},
};

use super::object_details::job_facts;
use crate::{
    args::Source,
    output::{Report, Row, Value},
    target::Guest,
};

const COLUMNS: &[&str] = &[
    "pid",
    "parent_pid",
    "name",
    "object",
    "wow64",
    "active_threads",
];

pub fn run(guest: &Guest, tree: bool, source: Source) -> Result<Report> {
    let mut report = guest.list(COLUMNS);
    let processes = processes(guest.windows()?, source, &mut report)?;
    for process in &processes {
        report.push(row(process));
    }
    if tree {
        report.set_text(Tree::new(&processes).print());
    }
    Ok(report)
}

fn processes<'a>(
    windows: &'a Windows,
    source: Source,
    report: &mut Report,
) -> Result<Vec<Process<'a>>> {
    let all: Vec<_> = match source {
        Source::List => windows.processes().collect(),
        Source::Ids => windows.client_ids()?.processes().collect(),
    };
    let good = all.into_iter().filter_map(|process| match process {
        Ok(process) => Some(process),
        Err(gap) => {
            report.gap(gap);
            None
        }
    });
    Ok(good.collect())
}

fn row(process: &Process<'_>) -> Row {
    let mut buffer = [0; Process::SNAPSHOT];
    let process = process.with_copy(&mut buffer);
    Row::default()
        .with("object", process.object())
        .with("pid", process.id())
        .with("parent_pid", process.parent_id())
        .with("name", process.name())
        .with("create_time", process.create_time())
        .with("exit_time", process.exit_time())
        .with("exit_status", process.exit_status())
        .with("wow64", process.is_wow64())
        .with("root", process.translation_root())
        .with("user_root", process.user_translation_root())
        .with("image_base", process.image_base())
        .with("peb", process.peb().map(|peb| peb.map(|peb| peb.address)))
        .with(
            "native_peb",
            process.native_peb().map(|peb| peb.map(|peb| peb.address)),
        )
        .with("session", process.session())
        .with("session_id", process.session_id())
        .with("token", process.token())
        .with("handle_table", process.handle_table_address())
        .with("active_threads", process.active_threads())
        .with("protection", process.protection().map(|it| it.0))
        .with("image_path", process.image_path())
        .with("job", process.job().map(|it| it.map(job)))
}

/// The innermost job of a process.
fn job(job: JobObject<'_>) -> Value {
    Value::Row(job_facts(&job))
}

/// One line of the tree.
struct Node {
    pid: u32,
    parent: u32,
    created: FileTime,
    name: String,
}

/// Who created whom. A parent must be older than its child: ids are reused.
struct Tree(Vec<Node>);

impl Tree {
    fn new(processes: &[Process<'_>]) -> Self {
        Self(processes.iter().filter_map(node).collect())
    }

    fn parent_of(&self, child: &Node) -> Option<usize> {
        let is_parent = |it: &Node| it.pid == child.parent && it.created <= child.created;
        let parent = self.0.iter().position(is_parent)?;
        (self.0[parent].pid != child.pid).then_some(parent)
    }

    fn print(&self) -> String {
        let parents: Vec<_> = self.0.iter().map(|node| self.parent_of(node)).collect();
        let mut text = String::new();
        let mut printed = HashSet::new();
        // Two processes that name each other as parent hang below nobody.
        for pass in [true, false] {
            for index in 0..self.0.len() {
                let top = parents[index].is_none() || !pass;
                if top && !printed.contains(&index) {
                    self.branch(index, &parents, &mut printed, &mut text);
                }
            }
        }
        text
    }

    /// Prints a process and those below it, without recursion.
    fn branch(
        &self,
        top: usize,
        parents: &[Option<usize>],
        printed: &mut HashSet<usize>,
        text: &mut String,
    ) {
        let mut left = vec![(top, 0)];
        while let Some((index, depth)) = left.pop() {
            if !printed.insert(index) {
                continue;
            }
            let Node { pid, name, .. } = &self.0[index];
            let indent = depth * 2;
            let name: String = name
                .chars()
                .map(|c| if c.is_control() { '\u{fffd}' } else { c })
                .collect();
            text.push_str(&format!("{:indent$}{pid} {name}\n", ""));
            let children = (0..self.0.len())
                .rev()
                .filter(|&child| parents[child] == Some(index));
            left.extend(children.map(|child| (child, depth + 1)));
        }
    }
}

fn node(process: &Process<'_>) -> Option<Node> {
    Some(Node {
        pid: process.id().ok()?,
        parent: process.parent_id().unwrap_or(0),
        created: process.create_time().unwrap_or_default(),
        name: process.name().unwrap_or_default(),
    })
}
