"""Uploading and downloading."""

from django.core.files.base import ContentFile
from django.http import FileResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_POST

from media.models import Upload


@require_POST
def upload(request):
    made = Upload(title=request.GET["title"])
    made.file.save(f"{made.title}.bin", ContentFile(request.body))
    return JsonResponse({"pk": made.pk}, status=201)


def download(request, pk):
    return FileResponse(get_object_or_404(Upload, pk=pk).file)
