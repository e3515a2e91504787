//! A page whose tables are written anew, and nothing else of it.

use anyhow::Context as _;

const BEGIN: &str = "<!-- begin ";
const CLOSE: &str = " -->";

/// Returns the page with what `table` gives between each pair of `<!-- begin NAME -->` and `<!-- end NAME -->`, which
/// stand on lines of their own.
///
/// # Errors
///
/// If a pair is not closed, if there is none, or if `table` fails.
pub(super) fn rewrite(page: &str, table: impl Fn(&str) -> anyhow::Result<String>) -> anyhow::Result<String> {
    let mut out = String::with_capacity(page.len());
    let mut lines = page.lines();
    let mut n_tables = 0;
    while let Some(line) = lines.next() {
        out.push_str(line);
        out.push('\n');
        let Some(name) = line.strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(CLOSE)) else { continue };
        let end = format!("<!-- end {name}{CLOSE}");
        lines.by_ref().find(|line| *line == end).with_context(|| format!("there is no `{end}`"))?;
        out.push_str(table(name)?.trim_end());
        out.push('\n');
        out.push_str(&end);
        out.push('\n');
        n_tables += 1;
    }
    anyhow::ensure!(n_tables > 0, "no line is `{BEGIN}NAME{CLOSE}`");
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str =
        "# P\n\n<!-- begin a -->\nold\nolder\n<!-- end a -->\ntext\n<!-- begin b -->\n<!-- end b -->\n";

    #[test]
    fn only_what_is_between_the_marks_changes_and_once_is_enough() {
        let table = |name: &str| Ok(format!("new {name}\n\n"));
        let once = rewrite(PAGE, table).unwrap();
        assert_eq!(
            once,
            "# P\n\n<!-- begin a -->\nnew a\n<!-- end a -->\ntext\n<!-- begin b -->\nnew b\n<!-- end b -->\n"
        );
        assert_eq!(rewrite(&once, table).unwrap(), once);
    }

    #[test]
    fn a_mark_without_its_other_half_is_an_error_and_so_is_a_page_without_any() {
        let table = |_: &str| Ok(String::new());
        let error = |page: &str| rewrite(page, table).unwrap_err().to_string();
        assert_eq!(error(&PAGE.replace("<!-- end a -->\n", "")), "there is no `<!-- end a -->`");
        assert_eq!(error("# P\n"), "no line is `<!-- begin NAME -->`");
        assert!(rewrite(PAGE, |name| anyhow::bail!("no {name}")).is_err());
    }
}
