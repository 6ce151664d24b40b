//! Where the time of a benchmark goes, by op, and how many floating-point operations it takes: the spans that ops open, added up over all
//! threads.

use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id};
use tracing::subscriber::Interest;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, Filter};
use tracing_subscriber::registry::LookupSpan;

/// Listens to the spans of ops; time inside an inner span (a product inside a linear layer) counts only for the inner one.
pub(crate) struct Profile;

/// Enables the spans of ops between [`start`] and [`stop`]. At other times they cost no more than without a listener.
pub(crate) struct WhenStarted;

static STARTED: AtomicBool = AtomicBool::new(false);

/// Operations since [`start`], as the spans tell them.
static FLOPS: AtomicU64 = AtomicU64::new(0);

/// Calls and time of every op since [`start`], keyed by the module it lives in.
static TOTALS: Mutex<BTreeMap<&'static str, (u64, Duration)>> = Mutex::new(BTreeMap::new());

thread_local! {
    /// The spans open on this thread: when each began, and what inner ones have taken since.
    static OPEN: RefCell<Vec<(Instant, Duration)>> = const { RefCell::new(Vec::new()) };
}

impl<S> Filter<S> for WhenStarted {
    fn enabled(&self, span: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        STARTED.load(Ordering::Relaxed) && span.target().starts_with("symdiff_ops")
    }

    fn callsite_enabled(&self, span: &'static Metadata<'static>) -> Interest {
        if STARTED.load(Ordering::Relaxed) && span.target().starts_with("symdiff_ops") { Interest::always() } else { Interest::never() }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(if STARTED.load(Ordering::Relaxed) { LevelFilter::TRACE } else { LevelFilter::OFF })
    }
}

/// Adds up the field `flops`.
struct Adding;

impl Visit for Adding {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "flops" {
            FLOPS.fetch_add(value, Ordering::Relaxed);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Profile {
    fn on_new_span(&self, span: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        span.record(&mut Adding);
    }

    fn on_enter(&self, _: &Id, _: Context<'_, S>) {
        OPEN.with_borrow_mut(|open| open.push((Instant::now(), Duration::ZERO)));
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        let (Some(span), Some((began, inner))) = (context.span(id), OPEN.with_borrow_mut(Vec::pop)) else { return };
        let whole = began.elapsed();
        OPEN.with_borrow_mut(|open| open.last_mut().into_iter().for_each(|(_, inner)| *inner += whole));
        let mut totals = TOTALS.lock().unwrap_or_else(PoisonError::into_inner);
        let (calls, time) = totals.entry(span.metadata().target()).or_default();
        *calls += 1;
        *time += whole.saturating_sub(inner);
    }
}

/// Resets the counts, and starts counting.
pub(super) fn start() {
    TOTALS.lock().unwrap_or_else(PoisonError::into_inner).clear();
    FLOPS.store(0, Ordering::Relaxed);
    listen(true);
}

/// Stops counting. The counts stay.
pub(super) fn stop() {
    listen(false);
}

fn listen(started: bool) {
    STARTED.store(started, Ordering::Relaxed);
    // Tracing caches for each span whether it is enabled.
    tracing::callsite::rebuild_interest_cache();
}

/// Operations counted.
pub(super) fn flops() -> u64 {
    FLOPS.load(Ordering::Relaxed)
}

/// One row per op, the costliest first, of `steps` repetitions that took `seconds` in all; the last row is what the threads spent outside ops:
/// in Candle, on allocation, or idle.
pub(super) fn rows(steps: usize, seconds: f64, threads: usize) -> Vec<Value> {
    let totals = TOTALS.lock().unwrap_or_else(PoisonError::into_inner);
    let available = seconds * threads as f64;
    let mut ops: Vec<(&str, u64, f64)> = totals.iter().map(|(target, (calls, time))| (name(target), *calls, time.as_secs_f64())).collect();
    ops.sort_by(|a, b| b.2.total_cmp(&a.2));
    let outside = available - ops.iter().map(|row| row.2).sum::<f64>();
    ops.push(("outside ops", 0, outside));
    let each = |(op, calls, time): (&str, u64, f64)| json!({ "op": op, "calls": calls / steps.max(1) as u64, "thread_s": time / steps.max(1) as f64, "share": time / available });
    ops.into_iter().map(each).collect()
}

/// The rows as a table for people.
pub(super) fn table(rows: &[Value]) -> String {
    let lines = rows.iter().map(|row| {
        let number = |key: &str| row[key].as_f64().unwrap_or(f64::NAN);
        let op = row["op"].as_str().unwrap_or_default();
        format!("{op:<22} {:>8} {:>14.6} {:>7.1}%", row["calls"], number("thread_s"), 100.0 * number("share"))
    });
    let head = format!("{:<22} {:>8} {:>14} {:>8}", "op", "calls", "thread time, s", "share");
    [head].into_iter().chain(lines).collect::<Vec<_>>().join("\n")
}

/// The op of a module path; matrix products, which several ops share, by their own name.
fn name(target: &'static str) -> &'static str {
    match target.rsplit("::").next() {
        Some("product") => "matrix products",
        Some(module) => module,
        None => target,
    }
}
