"""The shop as JSON."""

from django.http import JsonResponse

from catalog.models import Product


def products(request):
    found = Product.objects.all()
    if category := request.GET.get("category"):
        found = found.filter(category=category)
    return JsonResponse({"products": list(found.values("name", "price_cents"))})
