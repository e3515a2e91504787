//! Small pipelines that each show one thing.
