//! A filter on one line, for people.

use std::fmt;

use super::predicate::Condition;
use super::{FilterConfig, WrittenPredicate};

impl fmt::Display for FilterConfig {
    /// Writes the condition on one line, as `Outcome eq "ok" and (CPUTimeMs gt 5 or ScriptName in ["a"])`; long values are
    /// shortened.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut written = self.written.iter().map(|predicate| &**predicate);
        write_condition(&self.condition, &mut written, f)
    }
}

/// Writes a condition, whose predicates `written` gives in order. Recursion goes as deep as the condition, which its reader
/// bounds.
fn write_condition<'w>(
    condition: &Condition<String>,
    written: &mut impl Iterator<Item = &'w WrittenPredicate>,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let (list, join) = match condition {
        Condition::All(list) => (list, " and "),
        Condition::Any(list) => (list, " or "),
        Condition::Is(_) => {
            let Some(WrittenPredicate { key, operator, value }) = written.next() else { return Ok(()) };
            return write!(f, "{key} {operator} {value}");
        }
    };
    for (n, one) in list.iter().enumerate() {
        if n > 0 {
            f.write_str(join)?;
        }
        if matches!(one, Condition::Is(_)) {
            write_condition(one, &mut *written, f)?;
        } else {
            f.write_str("(")?;
            write_condition(one, &mut *written, f)?;
            f.write_str(")")?;
        }
    }
    Ok(())
}
