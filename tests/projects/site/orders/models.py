"""Orders that members placed."""

from django.conf import settings
from django.db import models

from cart.totals import total


class Order(models.Model):
    class State(models.TextChoices):
        OPEN = "open"
        PAID = "paid"
        SENT = "sent"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="orders")
    state = models.CharField(max_length=4, choices=State.choices, default=State.OPEN)
    cents = models.PositiveIntegerField()

    @classmethod
    def place(cls, user):
        """Makes an order of the user's cart and empties it."""
        lines = user.cart.select_related("product")
        order = cls.objects.create(
            user=user, cents=total(sum(line.quantity * line.product.price_cents for line in lines))
        )
        lines.delete()
        return order

    def pay(self):
        if self.state != self.State.OPEN:
            raise ValueError(f"order {self.pk} is {self.state} already")
        self.state = self.State.PAID
        self.save(update_fields=["state"])
