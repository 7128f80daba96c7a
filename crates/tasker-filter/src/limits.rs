//! What a filter may use up, counted in the thread that runs it.
//!
//! The interpreter has no limits of its own, a thread cannot be killed, and memory that cannot be had ends the whole
//! process. So everything that a filter does passes here: its steps through the checkpoint of [`guard`](crate::guard),
//! its values through [`value`](crate::value). At a limit the operation fails, and the next checkpoint halts the filter
//! whether it catches errors or not.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::error::Limit;

/// A text may be so long.
pub(crate) const TEXT_BYTES: u64 = 16 << 20;
/// A value may be so large, written out with everything in it.
pub(crate) const VALUE_BYTES: u64 = 64 << 20;
/// All values of a filter together may take so much memory.
pub(crate) const ALL_BYTES: u64 = 256 << 20;
/// Values may be nested so deep; what is nested is dropped and compared by recursion.
pub(crate) const DEPTH: u32 = 1_000;
/// An integer may have so many digits.
pub(crate) const DIGITS: u64 = 4_096;
/// The same in bits.
const BITS: u64 = DIGITS * 10 / 3;
/// A filter may run so long.
pub(crate) const TIME: Duration = Duration::from_mins(1);
/// Calls may use so much of the stack. The rest is for what happens between two checkpoints.
const STACK_BYTES: usize = 32 << 20;
/// What a call takes as long as it may go on.
const CALL_BYTES: u64 = 512;
/// Clock and stop sign are looked at when so many steps were made.
const BETWEEN_LOOKS: u64 = 1_024;
/// Work on so many bytes counts as a step.
const BYTES_PER_STEP: u64 = 4_096;

thread_local! {
    static RUN: Run = const { Run::none() };
}

/// What the filter of this thread has used up.
struct Run {
    steps: Cell<u64>,
    max_steps: Cell<u64>,
    next_look: Cell<u64>,
    bytes: Cell<u64>,
    stack_base: Cell<usize>,
    began: Cell<Option<Instant>>,
    stop: RefCell<Option<Arc<AtomicBool>>>,
    passed: Cell<Option<Limit>>,
}

/// Memory that a value takes, given back when the value is dropped.
#[derive(Debug, Default)]
pub(crate) struct Held(u64);

impl Run {
    const fn none() -> Self {
        Self {
            steps: Cell::new(0),
            max_steps: Cell::new(u64::MAX),
            next_look: Cell::new(0),
            bytes: Cell::new(0),
            stack_base: Cell::new(0),
            began: Cell::new(None),
            stop: RefCell::new(None),
            passed: Cell::new(None),
        }
    }

    fn pass(&self, limit: Limit) -> Limit {
        let first = self.passed.get().unwrap_or(limit);
        self.passed.set(Some(first));
        first
    }

    fn is_stopped(&self) -> bool {
        self.stop.borrow().as_ref().is_some_and(|stop| stop.load(Ordering::Relaxed))
    }

    fn look(&self, steps: u64) {
        self.next_look.set(steps + BETWEEN_LOOKS);
        if self.is_stopped() {
            self.pass(Limit::Stopped);
        } else if self.began.get().is_some_and(|began| began.elapsed() > TIME) {
            self.pass(Limit::Time);
        }
    }
}

/// Begins to count. The stack is measured from the caller's.
pub(crate) fn begin(max_steps: u64, stop: Arc<AtomicBool>) {
    RUN.with(|run| {
        run.steps.set(0);
        run.max_steps.set(max_steps);
        run.next_look.set(0);
        run.stack_base.set(stack_address());
        run.began.set(Some(Instant::now()));
        *run.stop.borrow_mut() = Some(stop);
        run.passed.set(None);
    });
}

/// The limit that was passed, if one was.
pub(crate) fn passed() -> Option<Limit> {
    RUN.with(|run| run.passed.get())
}

/// Notes that a limit was passed; the first one counts.
pub(crate) fn pass(limit: Limit) -> Limit {
    RUN.with(|run| run.pass(limit))
}

/// Counts a step.
pub(crate) fn step() -> Result<(), Limit> {
    RUN.with(|run| {
        if run.stack_base.get().abs_diff(stack_address()) > STACK_BYTES {
            run.pass(Limit::Stack);
        }
    });
    steps(1)
}

/// The memory of a call.
pub(crate) fn call() -> Held {
    Held::of(CALL_BYTES)
}

/// Counts the steps that work on so many bytes stands for.
pub(crate) fn work(bytes: u64) -> Result<(), Limit> {
    steps(bytes / BYTES_PER_STEP)
}

fn steps(count: u64) -> Result<(), Limit> {
    RUN.with(|run| {
        let steps = run.steps.get().saturating_add(count);
        run.steps.set(steps);
        if steps > run.max_steps.get() {
            run.pass(Limit::Steps(run.max_steps.get()));
        } else if steps >= run.next_look.get() {
            run.look(steps);
        }
        run.passed.get().map_or(Ok(()), Err)
    })
}

/// Whether a value may be so large and so deep.
pub(crate) fn admit(bytes: u64, depth: u32) -> Result<(), Limit> {
    match () {
        () if bytes > VALUE_BYTES => Err(pass(Limit::Value)),
        () if depth > DEPTH => Err(pass(Limit::Depth)),
        () => passed().map_or(Ok(()), Err),
    }
}

/// Whether a text may be so long.
pub(crate) fn admit_text(bytes: u64) -> Result<(), Limit> {
    if bytes > TEXT_BYTES { Err(pass(Limit::Text)) } else { work(bytes) }
}

/// Whether an integer may have so many bits.
pub(crate) fn admit_bits(bits: u64) -> Result<(), Limit> {
    if bits > BITS { Err(pass(Limit::Digits)) } else { Ok(()) }
}

impl Held {
    pub(crate) fn of(bytes: u64) -> Self {
        let mut held = Self::default();
        held.grow(bytes);
        held
    }

    pub(crate) fn grow(&mut self, bytes: u64) {
        self.0 += bytes;
        RUN.with(|run| {
            run.bytes.set(run.bytes.get() + bytes);
            if run.bytes.get() > ALL_BYTES {
                run.pass(Limit::Memory);
            }
        });
    }

    pub(crate) fn shrink(&mut self, bytes: u64) {
        let bytes = bytes.min(self.0);
        self.0 -= bytes;
        RUN.with(|run| run.bytes.set(run.bytes.get().saturating_sub(bytes)));
    }
}

/// A copy takes as much once more.
impl Clone for Held {
    fn clone(&self) -> Self {
        Self::of(self.0)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.shrink(self.0);
    }
}

/// Where on the stack this is, roughly.
#[inline(never)]
fn stack_address() -> usize {
    let here = 0_u8;
    std::ptr::from_ref(std::hint::black_box(&here)).addr()
}
