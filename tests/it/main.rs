//! One integration binary; each module is one door of the program.
