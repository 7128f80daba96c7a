//! Keeping a filter within its limits.
//!
//! A filter can go on and on only through calls of definitions, `range` and iterations; each of them is made to pass a
//! checkpoint that counts a step in [`limits`]. At a limit the checkpoint halts the filter, which `try` cannot catch.

use jaq_core::box_iter::box_once;
use jaq_core::data::JustLut;
use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Def, Pattern, Term};
use jaq_core::native::Fun;
use jaq_core::path::{Part, Path};
use jaq_core::{Exn, Native};

use crate::value::Val;
use crate::{limits, natives};

/// The name of the checkpoint; no filter can write it.
const CHECKPOINT: &str = "!checkpoint";
/// The name of the function that answers with the memory of a call, and of the variable that keeps it for as long as
/// the call may go on.
const CALL: &str = "$!call";
/// The name that `range` of the interpreter gets.
const BARE_RANGE: &str = "!range";

/// The kind of data that guarded filters run on.
pub(crate) type Guarded = JustLut<Val>;

/// The functions of the interpreter, but for those that reach outside, and the checkpoint.
pub(crate) fn functions() -> Vec<Fun<Guarded>> {
    const OUTSIDE: [&str; 4] = ["env", "halt", "debug_empty", "stderr_empty"];
    let known = jaq_core::funs::<Guarded>().chain(jaq_std::funs()).chain(natives::functions());
    let known = known.filter(|(name, ..)| !OUTSIDE.contains(name)).map(|(name, args, native)| match name {
        "range" => (BARE_RANGE, args, native),
        name => (name, args, native),
    });
    let checkpoint = Native::<Guarded>::new(|cv| box_once(passing(cv.1)));
    let checkpoint =
        checkpoint.with_paths(|cv| box_once(passing(cv.1))).with_update(|cv, update| match passing(cv.1) {
            Ok(value) => update(value),
            Err(halted) => box_once(Err(halted)),
        });
    let call = Native::<Guarded>::new(|_| box_once(Ok(Val::call())));
    known.chain([(CHECKPOINT, Box::default(), checkpoint), (CALL, Box::default(), call)]).collect()
}

/// Lets something pass that the filter may still go on with.
fn passing<'a, T>(what: T) -> Result<T, Exn<'a, Val>> {
    limits::step().map(|()| what).map_err(|_| Exn::halt(1))
}

/// The definitions of the interpreter, guarded, but for those that reach outside.
pub(crate) fn definitions() -> Vec<Def<&'static str>> {
    const OUTSIDE: [&str; 4] = ["halt", "halt_error", "debug", "stderr"];
    let known = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
    let known = known.filter(|def| !OUTSIDE.contains(&def.name)).map(guarded_definition);
    let args = vec!["$from", "$to", "$by"];
    let call = Term::Call(BARE_RANGE, args.iter().map(|name| Term::Var(*name)).collect());
    let range = Def { name: "range", args, body: checked_after(call) };
    let quiet = ["debug", "stderr"].map(|name| Def { name, args: Vec::new(), body: Term::Id });
    let quiet_with = Def { name: "debug", args: vec!["messages"], body: Term::Id };
    [range].into_iter().chain(known).chain(quiet).chain([quiet_with]).collect()
}

/// A definition whose every call passes the checkpoint.
fn guarded_definition(def: Def<&str>) -> Def<&str> {
    let opened = BinaryOp::Pipe(Some(Pattern::Var(CALL)));
    let counted = Term::BinOp(Box::new(Term::Call(CALL, Vec::new())), opened, Box::new(guarded(def.body)));
    let body = Term::BinOp(Box::new(checkpoint()), BinaryOp::Pipe(None), Box::new(counted));
    Def { name: def.name, args: def.args, body }
}

fn checkpoint<'s>() -> Term<&'s str> {
    Term::Call(CHECKPOINT, Vec::new())
}

/// A term whose every output passes the checkpoint.
fn checked_after(term: Term<&str>) -> Term<&str> {
    Term::BinOp(Box::new(term), BinaryOp::Pipe(None), Box::new(checkpoint()))
}

/// A term in which whatever can go on and on passes the checkpoint.
pub(crate) fn guarded(term: Term<&str>) -> Term<&str> {
    match term {
        Term::Id | Term::Num(_) | Term::Var(_) | Term::Break(_) => term,
        Term::Recurse => checked_after(Term::Recurse),
        Term::Str(format, parts) => {
            let parts = parts.into_iter().map(|part| match part {
                StrPart::Term(term) => StrPart::Term(guarded(term)),
                StrPart::Str(_) | StrPart::Char(_) => part,
            });
            Term::Str(format, parts.collect())
        }
        Term::Arr(inner) => Term::Arr(inner.map(boxed)),
        Term::Obj(fields) => {
            let fields = fields.into_iter().map(|(key, value)| (guarded(key), value.map(guarded)));
            Term::Obj(fields.collect())
        }
        Term::Neg(inner) => Term::Neg(boxed(inner)),
        Term::BinOp(left, BinaryOp::Pipe(Some(pattern)), right) => {
            Term::BinOp(boxed(left), BinaryOp::Pipe(Some(guarded_pattern(pattern))), boxed(right))
        }
        Term::BinOp(left, operator, right) => Term::BinOp(boxed(left), operator, boxed(right)),
        Term::Label(name, inner) => Term::Label(name, boxed(inner)),
        Term::Fold(kind, over, pattern, args) => {
            Term::Fold(kind, boxed(over), guarded_pattern(pattern), args.into_iter().map(guarded).collect())
        }
        Term::TryCatch(inner, catch) => Term::TryCatch(boxed(inner), catch.map(boxed)),
        Term::IfThenElse(cases, otherwise) => {
            let cases = cases.into_iter().map(|(test, then)| (guarded(test), guarded(then)));
            Term::IfThenElse(cases.collect(), otherwise.map(boxed))
        }
        Term::Def(defs, inner) => Term::Def(defs.into_iter().map(guarded_definition).collect(), boxed(inner)),
        Term::Call(name, args) => Term::Call(name, args.into_iter().map(guarded).collect()),
        Term::Path(inner, path) => guarded_path(boxed(inner), path),
    }
}

#[expect(clippy::boxed_local, reason = "terms hold other terms in boxes")]
fn boxed(term: Box<Term<&str>>) -> Box<Term<&str>> {
    Box::new(guarded(*term))
}

fn guarded_path<'s>(inner: Box<Term<&'s str>>, path: Path<Term<&'s str>>) -> Term<&'s str> {
    let iterates = path.0.iter().any(|(part, _)| matches!(part, Part::Range(..)));
    let parts = path.0.into_iter().map(|(part, opt)| {
        let part = match part {
            Part::Index(index) => Part::Index(guarded(index)),
            Part::Range(from, to) => Part::Range(from.map(guarded), to.map(guarded)),
        };
        (part, opt)
    });
    let term = Term::Path(inner, Path(parts.collect()));
    if iterates { checked_after(term) } else { term }
}

fn guarded_pattern(pattern: Pattern<&str>) -> Pattern<&str> {
    match pattern {
        Pattern::Var(_) => pattern,
        Pattern::Arr(parts) => Pattern::Arr(parts.into_iter().map(guarded_pattern).collect()),
        Pattern::Obj(fields) => {
            let fields = fields.into_iter().map(|(key, pattern)| (guarded(key), guarded_pattern(pattern)));
            Pattern::Obj(fields.collect())
        }
    }
}
