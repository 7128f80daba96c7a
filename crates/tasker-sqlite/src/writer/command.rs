//! Commands, among the other parts of a batch.

use sqlx::sqlite::SqliteArguments;
use tasker_store::Command;

use super::round::Round;
use crate::command::Order;
use crate::failure::Failure;
use crate::sql;

impl Round<'_> {
    /// Lets other processes know that leases of theirs may have been taken away.
    pub(super) async fn revoke(&mut self) -> Result<(), Failure> {
        self.session.run(sql::REVOKE, SqliteArguments::default()).await?;
        Ok(())
    }

    /// Carries out commands, one after the other.
    pub(super) async fn command(&mut self, commands: &[Command]) -> Result<(), Failure> {
        if commands.is_empty() {
            return Ok(());
        }
        self.send().await?;
        let mut order = Order::new(self.session, self.now);
        for command in commands {
            self.reply.commands.push(order.give(command).await?);
        }
        self.reply.left_ready += order.opened();
        let mut carried_out = commands.iter().zip(&self.reply.commands).filter(|(_, answer)| answer.is_ok());
        if carried_out.any(|(command, _)| command.takes_leases()) {
            self.revoke().await?;
        }
        Ok(())
    }
}
