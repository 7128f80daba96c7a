//! What is made of the list of cases.

/// From the one list of all cases: the table to find them in, and the macro that makes tests of them. A
/// case that is not listed is dead code, which the compiler reports.
macro_rules! cases {
    ($($subject:ident { $($case:ident)+ })+) => {
        /// Every case, as its subject and its name.
        pub const CASES: &[(&str, &str)] = &[$($((stringify!($subject), stringify!($case)),)+)+];

        fn find(subject: &str, case: &str) -> Option<Case> {
            match (subject, case) {
                $($((stringify!($subject), stringify!($case)) => Some(|bench| Box::pin($subject::$case(bench))),)+)+
                _ => None,
            }
        }

        /// One test for each case of the suite; see [`conformance`](crate::conformance).
        #[macro_export]
        macro_rules! conformance_tests {
            ($make_bench:ident) => {
                $(
                    mod $subject {
                        $(
                            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                            async fn $case() {
                                let bench = super::$make_bench().await;
                                $crate::conformance::run(stringify!($subject), stringify!($case), &bench).await;
                            }
                        )+
                    }
                )+
            };
        }
    };
}
