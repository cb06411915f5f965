"""Forms a member fills in."""

from django import forms


class NicknameForm(forms.Form):
    nickname = forms.SlugField(min_length=3, max_length=12)

    def clean_nickname(self):
        nickname = self.cleaned_data["nickname"].lower()
        if nickname in {"admin", "root"}:
            raise forms.ValidationError("This name is taken.", code="reserved")
        return nickname
