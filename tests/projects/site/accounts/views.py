"""Signing in, and a member's own page."""

from django.contrib.auth import authenticate, login
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseForbidden
from django.views.decorators.http import require_POST

from accounts.models import Member


@require_POST
def sign_in(request):
    user = authenticate(request, username=request.POST.get("name"), password=request.POST.get("password"))
    if user is None:
        return HttpResponseForbidden("unknown name or password")
    login(request, user)
    return HttpResponse("welcome")


@login_required(login_url="/accounts/sign-in/")
def profile(request):
    return HttpResponse(str(Member.objects.select_related("user").get(user=request.user)))
