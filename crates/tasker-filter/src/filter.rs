//! Compiling and running a filter.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use jaq_core::load::parse::{Def, Term};
use jaq_core::load::{self, Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Vars};
use serde_json::Value;

use crate::FILTER_BYTES;
use crate::error::{CompileError, RunError};
use crate::guard::{Guarded, definitions, functions, guarded};
use crate::limits;
use crate::value::{List, from_json, to_json};

/// The name under which the filter itself is compiled.
const MAIN: &str = "tasker_main";
/// A message of the language is cut after so many characters.
const MESSAGE_CHARS: usize = 500;

/// A compiled filter.
///
/// Compiling and running recurse: do both in a thread with a stack of [`STACK_BYTES`](crate::STACK_BYTES).
pub struct Filter(jaq_core::Filter<Guarded>);

impl Filter {
    /// Compiles a filter.
    ///
    /// # Errors
    /// Where the filter is wrong, and how; or that it is too long or names modules.
    pub fn compile(text: &str) -> Result<Self, CompileError> {
        if text.len() > FILTER_BYTES {
            return Err(CompileError::TooLong);
        }
        let arena = Arena::default();
        let alone = Loader::new(definitions()).load(&arena, File { code: text, path: () });
        if let Err(errors) = alone {
            return Err(unreadable(text, errors));
        }
        let body: Option<Term<&str>> = load::parse(text, |parser| parser.term());
        let Some(body) = body else {
            return Err(CompileError::Modules);
        };
        let main = Def { name: MAIN, args: Vec::new(), body: guarded(body) };
        let prelude = definitions().into_iter().chain([main]);
        let modules = Loader::new(prelude).load(&arena, File { code: MAIN, path: () });
        let modules = modules.map_err(|errors| unreadable(text, errors))?;
        let compiled = Compiler::default().with_funs(functions()).compile(modules);
        compiled.map(Self).map_err(|errors| {
            let undefined = errors.into_iter().flat_map(|(_, errors)| errors).next();
            match undefined {
                Some((name, kind)) => wrong_at(text, name, &format!("unknown {} {name}", kind.as_str())),
                None => wrong_at(text, text, "cannot be compiled"),
            }
        })
    }

    /// All outputs for an input.
    ///
    /// The filter makes at most `max_steps` steps, and ends soon after `stop` became true.
    ///
    /// # Errors
    /// The error that the filter raised and did not catch; or the first limit that it passed, whatever it made of it.
    pub fn run(&self, input: &Value, max_steps: u64, stop: &Arc<AtomicBool>) -> Result<Vec<Value>, RunError> {
        limits::begin(max_steps, Arc::clone(stop));
        let outputs = self.outputs(input);
        limits::passed().map_or(outputs, |limit| Err(RunError::Limit(limit)))
    }

    fn outputs(&self, input: &Value) -> Result<Vec<Value>, RunError> {
        let context = Ctx::<Guarded>::new(&self.0.lut, Vars::new([]));
        let mut outputs = List::default();
        for output in self.0.id.run((context, from_json(input)?)) {
            let output = output.map_err(|exception| {
                let message = exception.get_err().map_or_else(|_| "it broke off".into(), |e| e.to_string());
                RunError::Failed(shortened(&message))
            })?;
            outputs.push(output).map_err(RunError::Limit)?;
        }
        outputs.items().iter().map(to_json).collect()
    }
}

fn shortened(message: &str) -> String {
    let mut chars = message.chars();
    let mut short: String = chars.by_ref().take(MESSAGE_CHARS).collect();
    if chars.next().is_some() {
        short.push('…');
    }
    short
}

fn unreadable(text: &str, errors: load::Errors<&str, ()>) -> CompileError {
    let error = errors.into_iter().map(|(_, error)| error).next();
    match error {
        Some(load::Error::Lex(errors)) => match errors.into_iter().next() {
            Some((expected, rest)) => wrong_at(text, rest, &format!("expected {}", expected.as_str())),
            None => wrong_at(text, text, "cannot be read"),
        },
        Some(load::Error::Parse(errors)) => match errors.into_iter().next() {
            Some((expected, found)) if found.is_empty() => {
                wrong_at(text, found, &format!("expected {} before the end", expected.as_str()))
            }
            Some((expected, found)) => {
                let found_at = found.lines().next().unwrap_or_default();
                wrong_at(text, found, &format!("expected {}, found {found_at}", expected.as_str()))
            }
            None => wrong_at(text, text, "cannot be read"),
        },
        Some(load::Error::Io(_)) | None => CompileError::Modules,
    }
}

/// The error for a part of the filter; the mark stands under the place.
fn wrong_at(text: &str, part: &str, what: &str) -> CompileError {
    let offset =
        part.as_ptr().addr().checked_sub(text.as_ptr().addr()).filter(|offset| *offset <= text.len());
    let before = &text[..text.floor_char_boundary(offset.unwrap_or(0))];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let marked = before[line_start..].chars().count();
    let shown = text[line_start..].lines().next().unwrap_or_default();
    CompileError::Wrong {
        line: 1 + before.matches('\n').count(),
        column: 1 + marked,
        what: what.to_owned(),
        shown: format!("  {shown}\n  {}^", " ".repeat(marked)),
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filter").finish_non_exhaustive()
    }
}
