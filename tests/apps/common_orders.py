"""Orders that tests leave behind: core deletes none that is confirmed."""


class OrderMixin:
    """Cancel them first; mix into a ``DialogueCase``."""

    def _delete_created(self):
        with self.committed() as env:
            for model, ids in self.created:
                if model == "sale.order":
                    env[model].browse(ids)._action_cancel()
        super()._delete_created()
