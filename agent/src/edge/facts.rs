//! Facts about the machine, for people to look at. Nothing is decided by them.

use std::collections::BTreeMap;

/// Operating system, kernel, cores, memory.
pub(super) fn machine() -> BTreeMap<String, String> {
    let uname = rustix::system::uname();
    let mut facts = BTreeMap::new();
    let mut add = |name: &str, value: String| {
        facts.insert(name.to_owned(), value);
    };
    add("kernel", uname.release().to_string_lossy().into_owned());
    add("architecture", uname.machine().to_string_lossy().into_owned());
    add("hostname", uname.nodename().to_string_lossy().into_owned());
    if let Ok(cores) = std::thread::available_parallelism() {
        add("cores", cores.to_string());
    }
    let memory = rustix::system::sysinfo();
    let bytes = u128::from(memory.totalram) * u128::from(memory.mem_unit);
    add("memory_mib", (bytes / (1024 * 1024)).to_string());
    if let Some(system) = operating_system() {
        add("system", system);
    }
    facts
}

fn operating_system() -> Option<String> {
    let text = fs_err::read_to_string("/etc/os-release").ok()?;
    let name = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    Some(name.trim_matches('"').chars().take(100).collect())
}

/// The kernel's boot id; empty where the system does not tell.
pub(super) fn boot_id() -> String {
    let text = fs_err::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    text.trim().to_owned()
}
