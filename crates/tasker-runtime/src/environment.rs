//! The environment of the process. Nothing else in the house reads it.

/// All environment variables. What is not Unicode is replaced in part.
pub fn environment() -> Vec<(String, String)> {
    let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect()
}

/// Whether the user asks all programs for no colour (<https://no-color.org>).
pub(crate) fn refuses_colour() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// The name of the file that runs.
pub(crate) fn program_name() -> Option<String> {
    Some(std::env::current_exe().ok()?.file_name()?.to_str()?.to_owned())
}

/// The machine and the process, as people tell processes apart.
pub(crate) fn host_and_process() -> String {
    format!("{}:{}", gethostname::gethostname().to_string_lossy(), std::process::id())
}
