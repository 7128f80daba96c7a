//! Real processes, killed and frozen; databases, stopped: nothing acknowledged is lost, nothing is settled twice.
//!
//! The full measure (2,000 tasks and 200 kills on PostgreSQL, 100 on SQLite) is run by `cargo xtask faults`; without
//! `TASKER_FAULTS=full` a tenth of it is.

mod faults {
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::{Duration, Instant};

    use anyhow::{Context, Result, ensure};
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};
    use tasker_core::{State, TaskId};
    use tasker_engine::{Engine, EngineSettings};
    use tasker_runtime::{DatabaseSettings, open_store};
    use tasker_tests::binaries;
    use tasker_tests::faults::fleet::Fleet;
    use tasker_tests::faults::load;
    use tasker_tests::faults::proof::{Tally, all_complete, prove, some_command_runs};
    use tasker_tests::faults::server::PostgresServer;

    const PATIENCE: Duration = Duration::from_mins(1);

    /// How much of everything: a tenth, unless all is asked for.
    #[expect(clippy::disallowed_methods, reason = "a switch for the person who runs the test")]
    fn measure(full: usize) -> usize {
        if std::env::var("TASKER_FAULTS").is_ok_and(|scale| scale == "full") { full } else { full / 10 }
    }

    #[expect(clippy::disallowed_methods, reason = "set by cargo xtask test")]
    fn postgres_binaries() -> Result<PathBuf> {
        let binaries = std::env::var("TASKER_TEST_POSTGRES_BIN");
        Ok(binaries.context("PostgreSQL's own programs are needed to stop and start it: install the package postgresql, and run `cargo xtask test`")?.into())
    }

    async fn engine(url: &str) -> Result<Engine> {
        let database = DatabaseSettings { url: url.to_owned(), ..DatabaseSettings::default() };
        Ok(Engine::new(open_store(&database).await?, EngineSettings::default()))
    }

    fn worker(url: &str) -> Result<(PathBuf, Vec<String>)> {
        let program = binaries::folder(&["tasker-worker"])?.join("tasker-worker");
        let words = [
            "--database",
            url,
            "--set",
            "worker.lease_seconds=2",
            "--set",
            "agents.rescue_interval_seconds=1",
        ];
        Ok((program, words.map(str::to_owned).to_vec()))
    }

    fn server(url: &str) -> Result<(PathBuf, Vec<String>)> {
        let program = binaries::folder(&["tasker-server"])?.join("tasker-server");
        let words = [
            "--database",
            url,
            "--worker",
            "--listen",
            "127.0.0.1:0",
            "--set",
            "worker.lease_seconds=2",
            "--set",
            "agents.rescue_interval_seconds=1",
        ];
        Ok((program, words.map(str::to_owned).to_vec()))
    }

    /// Submits tasks for as long as `break_things` does its worst, `faults` times, at least `tasks` of them, then proves
    /// what must be true. No fault costs a step more than one attempt.
    async fn survive(
        engine: &Engine,
        (tasks, faults): (usize, usize),
        break_things: impl Future<Output = Result<()>>,
    ) -> Result<Tally> {
        let keys = load::register(engine, 0.2, faults).await?;
        let is_over = AtomicBool::new(false);
        let submit = async {
            let mut acknowledged: Vec<TaskId> = Vec::new();
            while acknowledged.len() < tasks || !is_over.load(Ordering::SeqCst) {
                let first = acknowledged.len();
                let some = (first..first + 8).map(|number| load::submit(engine, &keys, number));
                acknowledged.extend(futures::future::try_join_all(some).await?);
                // sleep: there is to be work at every moment of the trouble.
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            anyhow::Ok(acknowledged)
        };
        let trouble = async {
            let ended = break_things.await;
            is_over.store(true, Ordering::SeqCst);
            ended
        };
        let (acknowledged, broken) = tokio::join!(submit, trouble);
        broken?;
        let acknowledged = acknowledged?;
        all_complete(engine, &acknowledged, PATIENCE).await?;
        prove(engine, &acknowledged).await
    }

    async fn kill_at_random(fleet: &mut Fleet, size: usize, kills: usize, seed: u64) -> Result<()> {
        let mut random = StdRng::seed_from_u64(seed);
        for _ in 0..kills {
            // sleep: a fault comes at a random moment.
            tokio::time::sleep(Duration::from_millis(random.random_range(20..250))).await;
            fleet.kill_and_replace(random.random_range(0..size))?;
        }
        ensure!(fleet.deserters() == 0, "a process ended although nobody killed it");
        Ok(())
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn workers_on_postgres_are_killed_at_random() -> Result<()> {
        let server = PostgresServer::start(&postgres_binaries()?)?;
        let engine = engine(&server.url()).await?;
        let (program, arguments) = worker(&server.url())?;
        let mut fleet = Fleet::start(program, arguments, 3)?;
        let kills = measure(200);
        let tally =
            survive(&engine, (measure(2_000), kills), kill_at_random(&mut fleet, 3, kills, 1)).await?;
        ensure!(tally.rescued > 0, "no kill met a step at work: {tally:?}");
        println!("{} kills: {tally:?}", fleet.killed);
        Ok(())
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_server_on_sqlite_is_killed_at_random() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let url = format!("sqlite:{}", folder.path().join("tasker.db").display());
        let engine = engine(&url).await?;
        let (program, arguments) = server(&url)?;
        let mut fleet = Fleet::start(program, arguments, 1)?;
        let kills = measure(100);
        let tally =
            survive(&engine, (measure(1_000), kills), kill_at_random(&mut fleet, 1, kills, 2)).await?;
        ensure!(tally.rescued > 0, "no kill met a step at work: {tally:?}");
        println!("{} kills: {tally:?}", fleet.killed);
        Ok(())
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn postgres_is_stopped_again_and_again() -> Result<()> {
        let server = PostgresServer::start(&postgres_binaries()?)?;
        let engine = engine(&server.url()).await?;
        let (program, arguments) = worker(&server.url())?;
        let mut fleet = Fleet::start(program, arguments, 2)?;
        let stops = measure(50);
        let stop_and_start = async {
            let mut random = StdRng::seed_from_u64(3);
            for _ in 0..stops {
                // sleep: a fault comes at a random moment, and lasts one to three seconds.
                tokio::time::sleep(Duration::from_millis(random.random_range(300..1_500))).await;
                tokio::task::block_in_place(|| server.down())?;
                // sleep: and lasts.
                tokio::time::sleep(Duration::from_millis(random.random_range(1_000..3_000))).await;
                tokio::task::block_in_place(|| server.up())?;
            }
            Ok(())
        };
        let tally = survive(&engine, (measure(2_000), stops), stop_and_start).await?;
        ensure!(fleet.deserters() == 0, "a worker ended because its database was away");
        println!("{tally:?}");
        Ok(())
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_frozen_worker_changes_nothing_when_it_wakes() -> Result<()> {
        let server = PostgresServer::start(&postgres_binaries()?)?;
        let engine = engine(&server.url()).await?;
        let (program, arguments) = worker(&server.url())?;
        let fleet = Fleet::start(program, arguments, 2)?;
        let victims = [0, 1, 0, 1];
        let freeze = async {
            for index in victims {
                // sleep: the worker is frozen for longer than its lease of two seconds.
                tokio::time::sleep(Duration::from_millis(400)).await;
                fleet.signal(index, "STOP")?;
                // sleep: frozen.
                tokio::time::sleep(Duration::from_millis(3_500)).await;
                fleet.signal(index, "CONT")?;
            }
            Ok(())
        };
        let tally = survive(&engine, (measure(2_000), victims.len()), freeze).await?;
        ensure!(tally.rescued > 0, "no lease ran out while its worker was frozen: {tally:?}");
        println!("{tally:?}");
        Ok(())
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_worker_that_is_told_to_stop_settles_what_it_runs() -> Result<()> {
        let server = PostgresServer::start(&postgres_binaries()?)?;
        let engine = engine(&server.url()).await?;
        let keys = load::register(&engine, 2.0, 0).await?;
        let (program, arguments) = worker(&server.url())?;
        let mut fleet = Fleet::start(program.clone(), arguments.clone(), 1)?;
        let mut tasks = Vec::new();
        for number in 0..16 {
            tasks.push(load::submit(&engine, &keys, number).await?);
        }
        let running = tokio::time::timeout(PATIENCE, some_command_runs(&engine, &tasks)).await??;
        fleet.signal(0, "TERM")?;
        let begun = Instant::now();
        let status = fleet.wait(0)?;
        ensure!(status.success(), "a drained worker ends well: {status}");
        ensure!(begun.elapsed() < Duration::from_secs(20), "the drain took {:?}", begun.elapsed());
        // There has been no other worker to complete it.
        let view = engine.task(running.task()).await?.context("acknowledged")?;
        let state = view.steps[running.ordinal() as usize].state;
        ensure!(state == State::Complete, "what it ran when it was told to stop is {state}");
        let second = Fleet::start(program, arguments, 1)?;
        all_complete(&engine, &tasks, PATIENCE).await?;
        let tally = prove(&engine, &tasks).await?;
        ensure!(tally.rescued == 0, "a drained worker leaves no lease behind: {tally:?}");
        drop(second);
        Ok(())
    }
}
